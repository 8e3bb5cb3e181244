using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>One entry of inetd.conf.</summary>
[SupportedOSPlatform("linux")]
static class InetdLine
{
    const int DefaultMax = 256, FieldCount = 6;

    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1), Pause = TimeSpan.FromMinutes(10);

    /// <summary>Takes the addresses from the front. Without anything after them they are the default of what follows.</summary>
    public static (string? Hosts, IReadOnlyList<string> Fields) SplitHosts(IReadOnlyList<string> fields)
    {
        var first = fields[0];
        var colon = first[0] == '/' ? -1 : first.LastIndexOf(':');
        if (colon < 0)
            return (null, fields);
        var hosts = colon == 0 ? "*" : first[..colon];
        return colon == first.Length - 1 ? (hosts, [.. fields.Skip(1)]) : (hosts, [first[(colon + 1)..], .. fields.Skip(1)]);
    }

    /// <summary>The services of an entry: one for each address, and for each of IPv4 and IPv6.</summary>
    /// <exception cref="FormatException">Something is wrong; the message says what was expected.</exception>
    public static IEnumerable<Service> Read(string hosts, IReadOnlyList<string> fields)
    {
        if (fields.Count < FieldCount)
        {
            string[] names = ["service", "socket type (stream or dgram)", "protocol", "wait or nowait", "user", "program"];
            throw new FormatException($"There is no {names[fields.Count]}: a line has a service, a socket type, a protocol, wait or nowait, a user and a program.");
        }

        var isStream = fields[1] switch
        {
            "stream" => true,
            "dgram" => false,
            _ => throw new FormatException($"'{fields[1]}' is no socket type: stream or dgram is expected."),
        };
        var (protocol, sendBuffer, receiveBuffer) = Protocol(fields[2], isStream);
        var (waits, max) = Wait(fields[3]);
        var (user, group) = User(fields[4]);
        foreach (var endpoint in Endpoints(hosts, fields[0], protocol, isStream))
        {
            var service = Make($"{fields[0]}/{fields[2]}@{endpoint}", endpoint with { SendBuffer = sendBuffer, ReceiveBuffer = receiveBuffer }, fields, max);
            yield return service.Protocol is not null ? service : service with { Waits = waits, User = user, Group = group };
        }
    }

    static Service Make(string name, ServiceEndpoint endpoint, IReadOnlyList<string> fields, int max)
    {
        var limits = new ServiceLimits { Instances = int.MaxValue, Rate = max == 0 ? null : new(max, Minute, Pause) };
        if (fields[5] != "internal")
        {
            return Service.Program(name, endpoint, fields[5], [.. fields.Skip(FieldCount + 1)]) with
            {
                ProgramName = fields.Count > FieldCount ? fields[FieldCount] : Path.GetFileName(fields[5]),
                ErrorsToClient = true,
                Limits = limits,
            };
        }

        if (!Enum.TryParse<BuiltInService>(fields[0], ignoreCase: true, out var builtIn) || !char.IsAsciiLetterLower(fields[0][0]))
            throw new FormatException($"There is no internal service '{fields[0]}': echo, discard, chargen, daytime or time is expected.");
        var isAnswered = endpoint.Type == SocketType.Dgram || builtIn is BuiltInService.Daytime or BuiltInService.Time;   // at once, so inetd counts it neither
        return Service.BuiltIn(name, endpoint, builtIn) with { Limits = isAnswered ? limits with { Rate = null } : limits };
    }

    static (string Name, int? Send, int? Receive) Protocol(string field, bool isStream)
    {
        var parts = field.Split(',');
        if (parts[0].StartsWith("rpc/", StringComparison.Ordinal))
            throw new FormatException($"'{parts[0]}': services of Sun RPC are not served; a protocol as tcp or udp is expected.");
        if (parts[0] is not ("unix" or "tcp" or "tcp4" or "tcp6" or "tcp46" or "udp" or "udp4" or "udp6" or "udp46"))
            throw new FormatException($"'{parts[0]}' is no protocol: tcp, tcp4, tcp6, tcp46, udp, udp4, udp6, udp46 or unix is expected.");
        if (parts[0] != "unix" && parts[0].StartsWith("tcp", StringComparison.Ordinal) != isStream)
            throw new FormatException($"{(isStream ? "stream" : "dgram")} does not fit {parts[0]}: stream is for tcp, dgram for udp.");
        int? send = null, receive = null;
        foreach (var option in parts.Skip(1))
        {
            if (option.StartsWith("sndbuf=", StringComparison.Ordinal))
                send = Size(option["sndbuf=".Length..]);
            else if (option.StartsWith("rcvbuf=", StringComparison.Ordinal))
                receive = Size(option["rcvbuf=".Length..]);
            else
                throw new FormatException($"'{option}' is no option of a protocol: sndbuf=SIZE or rcvbuf=SIZE is expected.");
        }

        return (parts[0], send, receive);
    }

    static int Size(string text)
    {
        var factor = text.Length == 0 ? 1 : char.ToLowerInvariant(text[^1]) switch { 'k' => 1 << 10, 'm' => 1 << 20, _ => 1 };
        return int.TryParse(factor == 1 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= int.MaxValue / factor
            ? number * factor
            : throw new FormatException($"'{text}' is no size: a number of bytes is expected, or of kilobytes or megabytes as 64k or 1m.");
    }

    static (bool Waits, int Max) Wait(string field)
    {
        var dot = field.IndexOfAny(['.', ':']);
        var word = dot < 0 ? field : field[..dot];
        if (word is not ("wait" or "nowait"))
            throw new FormatException($"'{field}': wait or nowait is expected, or one of them with how often a minute, as nowait.60.");
        if (dot < 0)
            return (word == "wait", DefaultMax);
        return int.TryParse(field[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var max)
            ? (word == "wait", max)
            : throw new FormatException($"'{field[(dot + 1)..]}' is no number: how often a minute the service may be started is expected, as in {word}.60.");
    }

    static (string User, string? Group) User(string field)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var separator = colon >= 0 ? colon : field.IndexOf('.', StringComparison.Ordinal);
        if (separator < 0 || (colon < 0 && UserAccount.Find(field) is not null))
            return (field, null);
        return separator > 0 && separator < field.Length - 1
            ? (field[..separator], field[(separator + 1)..])
            : throw new FormatException($"'{field}': a user is expected, or a user with a group as in user:group.");
    }

    static IEnumerable<ServiceEndpoint> Endpoints(string hosts, string service, string protocol, bool isStream)
    {
        if (protocol == "unix")
        {
            yield return service[0] == '/'
                ? isStream ? ServiceEndpoint.Unix(service) : ServiceEndpoint.UnixDatagram(service)
                : throw new FormatException($"'{service}': the path of a Unix socket is expected, from the root.");
            yield break;
        }

        var port = ServicePort.Find(service, isStream ? "tcp" : "udp");
        foreach (var host in hosts.Split(','))
        {
            foreach (var address in Addresses(host, protocol[3..]))
            {
                var endpoint = isStream ? ServiceEndpoint.Tcp(address, port) : ServiceEndpoint.Udp(address, port);
                yield return endpoint with { DualMode = protocol.EndsWith("46", StringComparison.Ordinal) };
            }
        }
    }

    /// <param name="version">4, 6, 46 or nothing.</param>
    static IPAddress[] Addresses(string host, string version)
    {
        if (host is "*")
        {
            return version switch
            {
                "4" => [IPAddress.Any],
                "6" or "46" => [IPAddress.IPv6Any],
                _ => Socket.OSSupportsIPv6 ? [IPAddress.Any, IPAddress.IPv6Any] : [IPAddress.Any],
            };
        }

        IPAddress[] found;
        try
        {
            found = IPAddress.TryParse(host, out var given) ? [given] : Dns.GetHostAddresses(host);
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            throw new FormatException($"'{host}' is no address, and no host is called so: an address, the name of a host or * is expected before the colon.");
        }

        IPAddress[] fitting = [.. found.Where(address => version switch
        {
            "4" => address.AddressFamily == AddressFamily.InterNetwork,
            "6" or "46" => address.AddressFamily == AddressFamily.InterNetworkV6,
            _ => true,
        })];
        return fitting.Length > 0 ? fitting : throw new FormatException($"'{host}' has no address of IPv{version}.");
    }
}
