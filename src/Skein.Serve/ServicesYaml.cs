using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Skein.Serve;

/// <summary>
/// Reads the services of a YAML file:
/// <code>
/// services:
///   git:
///     listen: tcp://0.0.0.0:9418
///     program: git daemon --inetd /srv/git
///     user: git
///     limits: { instances: 50, instances-per-source: 5, idle: 5m }
/// </code>
/// </summary>
static class ServicesYaml
{
    public static ServiceFile Read(string path)
    {
        var errors = new List<ServiceFileError>();
        var services = new List<(Service Service, YamlNode Node)>();
        try
        {
            using var text = new StreamReader(path);
            var stream = new YamlStream();
            stream.Load(text);
            if (stream.Documents is [{ RootNode: YamlMappingNode root }])
                ReadRoot(root, services, Fail);
            else
                errors.Add(new(path, 1, "services: is expected, with a name for each service."));
        }
        catch (YamlException error)
        {
            errors.Add(new(path, (int)error.Start.Line, $"This is not YAML: {error.InnerException?.Message ?? error.Message}"));
        }

        return ServiceFile.Checked(path, [.. services.Select(pair => (pair.Service, (int)pair.Node.Start.Line, $"services.{pair.Node}: "))], errors);

        void Fail(YamlNode node, string message) => errors.Add(new(path, (int)node.Start.Line, message));
    }

    static void ReadRoot(YamlMappingNode root, List<(Service, YamlNode)> services, Action<YamlNode, string> fail)
    {
        var fields = new YamlFields(root, "", fail, "services", "application");
        if (fields.Node("services") is not YamlMappingNode list)
        {
            fail(fields.Node("services") ?? root, "services: is expected, with a name for each service.");
            return;
        }

        var read = new List<(string Name, IReadOnlyList<Service> Services, YamlNode Node)>();
        foreach (var (key, node) in list.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (node is YamlMappingNode map)
                read.Add((name, ServiceYaml.Read(name, map, fail), key));
            else
                fail(key, $"services.{name}: what it listens on and what serves are expected.");
        }

        // A name with several addresses stands for all of them.
        foreach (var (_, all, node) in read)
        {
            foreach (var service in all)
                services.Add((service with { After = [.. service.After.SelectMany(name => read.Find(other => other.Name == name).Services?.Select(other => other.Name) ?? [name])] }, node));
        }
    }
}
