using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Skein.Cli;
using YamlDotNet.RepresentationModel;

namespace Skein.Serve;

/// <summary>One service of a YAML file.</summary>
static class ServiceYaml
{
    const string Address = "an address such as tcp://127.0.0.1:8001, tcp://*:8001, udp://[::1]:7, unix:/run/name or unix-dgram:/run/name";
    static readonly string[] Kinds = ["program", "handler", "builtin"];

    const string Number = "a whole number";

    public static IReadOnlyList<Service> Read(string name, YamlMappingNode node, Action<YamlNode, string> fail)
    {
        var hasFailed = false;
        var fields = new YamlFields(node, $"services.{name}.", Fail,
            "listen", "program", "handler", "builtin", "wait", "start", "ready", "after", "user", "group", "environment", "folder", "errors",
            "allow", "deny", "mode", "limits", "place", "workers", "connections-per-worker");
        var endpoints = fields.Values<ServiceEndpoint>("listen", TryAddress, Address);
        if (!fields.Has("listen"))
            fields.Wrong(node, $"listen: is expected, with {Address}.");
        if (Served(fields, node) is not { } make)
            return [];
        var mode = fields.Value<UnixFileMode>("mode", TryMode, "a mode such as 0660");
        var limits = Limits(fields, name, Fail);
        var services = endpoints.Select(endpoint => make(endpoints.Count == 1 ? name : $"{name}@{endpoint}", endpoint with { FileMode = mode }) with
        {
            Waits = fields.Flag("wait"),
            StartsAtOnce = Word(fields, "start", "at-once", "on-demand") == "at-once",
            Notifies = Word(fields, "ready", "notify", "running") == "notify",
            After = fields.Texts("after"),
            User = fields.Text("user"),
            Group = fields.Text("group"),
            Environment = fields.Map("environment"),
            WorkingDirectory = fields.Text("folder"),
            ErrorsToClient = Word(fields, "errors", "client", "log") == "client",
            Allow = fields.Values<IPNetwork>("allow", TryNetwork, "a network such as 10.0.0.0/8, or an address"),
            Deny = fields.Values<IPNetwork>("deny", TryNetwork, "a network such as 10.0.0.0/8, or an address"),
            Limits = limits,
            Place = Word(fields, "place", "process", "thread") == "thread" ? Place.Thread : Place.OsProcess,
            Workers = fields.Value<int>("workers", TryNumber, Number) ?? Environment.ProcessorCount,
            ConnectionsPerWorker = fields.Value<int>("connections-per-worker", TryNumber, Number) ?? 100,
        }).ToList();
        return hasFailed ? [] : services;

        void Fail(YamlNode where, string message)
        {
            hasFailed = true;
            fail(where, message);
        }
    }

    /// <summary>Exactly one of what can serve.</summary>
    static Func<string, ServiceEndpoint, Service>? Served(YamlFields fields, YamlNode node)
    {
        if (Kinds.Count(fields.Has) != 1)
        {
            fields.Wrong(node, "one of program, handler and builtin is expected.");
            return null;
        }

        if (fields.Has("program"))
        {
            var words = fields.Texts("program");
            if (words.Count == 1 && fields.Node("program") is YamlScalarNode)
                words = words[0].Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
            return words.Count == 0 || words[0].Length == 0 ? null : (name, endpoint) => Service.Program(name, endpoint, words[0], [.. words.Skip(1)]);
        }

        if (fields.Has("builtin"))
        {
            return fields.Value<BuiltInService>("builtin", TryBuiltIn, "echo, discard, chargen, daytime or time") is { } protocol
                ? (name, endpoint) => Service.BuiltIn(name, endpoint, protocol)
                : null;
        }

        try
        {
            return fields.Text("handler") is { } function ? Handler(HandlerFunction.Find(Assembly.GetEntryAssembly()!, function)) : null;
        }
        catch (FormatException error)
        {
            fields.Wrong(fields.Node("handler")!, error.Message);
            return null;
        }
    }

    static Func<string, ServiceEndpoint, Service> Handler(Func<Microsoft.AspNetCore.Connections.ConnectionContext, Task> handler) =>
        (name, endpoint) => Service.Handler(name, endpoint, handler);

    static ServiceLimits Limits(YamlFields service, string name, Action<YamlNode, string> fail)
    {
        var none = new ServiceLimits();
        if (service.Node("limits") is not { } node)
            return none;
        if (node is not YamlMappingNode map)
        {
            fail(node, $"services.{name}.limits: names with a value each are expected.");
            return none;
        }

        var fields = new YamlFields(map, $"services.{name}.limits.", fail,
            "instances", "instances-per-source", "rate-per-source", "rate", "idle", "time", "grace", "memory", "cpu", "cpu-time", "processes", "failures");
        return none with
        {
            Instances = Count("instances") ?? none.Instances,
            InstancesPerSource = Count("instances-per-source"),
            RatePerSource = Rate("rate-per-source"),
            Rate = Rate("rate"),
            IdleTimeout = Time("idle"),
            WallTime = Time("time"),
            Grace = Time("grace") ?? none.Grace,
            Memory = fields.Value<long>("memory", ByteSize.TryParse, ByteSize.Expected),
            Processors = fields.Value<double>("cpu", TryShare, "a number of processors such as 0.5"),
            ProcessorTime = Time("cpu-time"),
            Processes = Count("processes"),
            Failures = Count("failures") ?? none.Failures,
        };

        int? Count(string field) => fields.Value<int>(field, TryNumber, Number);

        TimeSpan? Time(string field) => fields.Value<TimeSpan>(field, Duration.TryParse, Duration.Expected);

        Rate? Rate(string field)
        {
            const string Expected = "a rate such as 50/1s, or with the pause that follows 50/1s 10s";
            var read = fields.Values<Rate>(field, TryRate, Expected);
            return read.Count > 0 ? read[0] : null;
        }
    }

    static string? Word(YamlFields fields, string name, string one, string other)
    {
        var text = fields.Text(name);
        if (text is not null && text != one && text != other)
            fields.Wrong(fields.Node(name)!, $"{name}: '{text}' is not {one} or {other}.");
        return text;
    }

    static bool TryAddress(string text, out ServiceEndpoint endpoint)
    {
        endpoint = null!;
        if (text.StartsWith("unix:", StringComparison.Ordinal) && text.Length > 6)
            endpoint = ServiceEndpoint.Unix(text["unix:".Length..]);
        else if (text.StartsWith("unix-dgram:", StringComparison.Ordinal) && text.Length > 12)
            endpoint = ServiceEndpoint.UnixDatagram(text["unix-dgram:".Length..]);
        if (endpoint is not null)
            return true;
        var isTcp = text.StartsWith("tcp://", StringComparison.Ordinal);
        if (!isTcp && !text.StartsWith("udp://", StringComparison.Ordinal))
            return false;
        var rest = text[6..];
        var isAny = rest.StartsWith("*:", StringComparison.Ordinal);
        if (isAny)
            rest = (Socket.OSSupportsIPv6 ? "[::]" : "0.0.0.0") + rest[1..];
        if (!rest[(rest.LastIndexOf(']') + 1)..].Contains(':') || !IPEndPoint.TryParse(rest, out var address))
            return false;
        endpoint = (isTcp ? ServiceEndpoint.Tcp(address.Address, address.Port) : ServiceEndpoint.Udp(address.Address, address.Port)) with { DualMode = isAny };
        return true;
    }

    static bool TryNetwork(string text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
            return true;
        if (!IPAddress.TryParse(text, out var address))
            return false;
        network = new(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        return true;
    }

    static bool TryRate(string text, out Rate rate)
    {
        rate = null!;
        if (text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries) is not [var often, .. { Length: <= 1 } pauses] || often.Split('/') is not [var number, var time])
            return false;
        if (!TryNumber(number, out var count) || !Duration.TryParse(char.IsAsciiDigit(time.FirstOrDefault()) ? time : $"1{time}", out var per))
            return false;
        var pause = per;
        if (pauses.Length == 1 && !Duration.TryParse(pauses[0], out pause))
            return false;
        rate = new(count, per, pause);
        return true;
    }

    static bool TryMode(string text, out UnixFileMode mode)
    {
        mode = default;
        if (text.Length is < 3 or > 4 || text.Any(digit => digit is < '0' or > '7'))
            return false;
        mode = (UnixFileMode)Convert.ToInt32(text, 8);
        return true;
    }

    static bool TryBuiltIn(string text, out BuiltInService service) => Enum.TryParse(text, ignoreCase: true, out service) && Enum.IsDefined(service) && char.IsAsciiLetter(text[0]);

    static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    static bool TryShare(string text, out double share) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share);
}
