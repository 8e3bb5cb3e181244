using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Reads <c>/etc/inetd.conf</c> as it is, in the grammar of openbsd-inetd: addresses before services, several of them, default addresses,
/// numeric ports, sizes of buffers, <c>nowait.max</c>, users with groups.
/// <code>
/// 127.0.0.1:9418 stream tcp nowait.600 git:git /usr/bin/git git daemon --inetd /srv/git
/// </code>
/// As there, a service that is started more often than <c>max</c> times a minute (256) is refused for ten minutes.
/// </summary>
[SupportedOSPlatform("linux")]
public static class InetdFile
{
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static ServiceFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(path, File.ReadAllLines(path));
    }

    internal static ServiceFile Parse(string path, IReadOnlyList<string> lines)
    {
        var (services, errors) = (new List<(Service, int, string)>(), new List<ServiceFileError>());
        var hosts = "*";
        foreach (var (line, fields) in Entries(lines))
        {
            try
            {
                var (own, rest) = InetdLine.SplitHosts(fields);
                if (rest.Count == 0)
                    hosts = own!;
                else
                    services.AddRange(InetdLine.Read(own ?? hosts, rest).Select(service => (service, line, "")));
            }
            catch (FormatException error)
            {
                errors.Add(new(path, line, error.Message));
            }
        }

        return ServiceFile.Checked(path, services, errors);
    }

    /// <summary>A line that begins with a blank goes on with the one before it.</summary>
    static List<(int Line, List<string> Fields)> Entries(IReadOnlyList<string> lines)
    {
        var entries = new List<(int Line, List<string> Fields)>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].StartsWith('#'))
                continue;
            var fields = lines[i].Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 0)
                continue;
            if (lines[i][0] is ' ' or '\t' && entries.Count > 0)
                entries[^1].Fields.AddRange(fields);
            else
                entries.Add((i + 1, [.. fields]));
        }

        return entries;
    }
}
