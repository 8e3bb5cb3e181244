using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Skein;

/// <summary>An address to listen on, as people write it: <c>http://127.0.0.1:8080</c>, <c>https://*:443</c>, <c>http://unix:/run/app.sock</c>.</summary>
sealed record ListenAddress(string Scheme, EndPoint EndPoint)
{
    public const string Expected = "an address such as http://127.0.0.1:8080, https://*:443, http://localhost:0 or http://unix:/run/app.sock";

    /// <summary>The address or, for localhost, both of its addresses.</summary>
    /// <exception cref="ServeException">It is none.</exception>
    public static IReadOnlyList<ListenAddress> Parse(string text)
    {
        var mistake = new ServeException($"'{text}' is not {Expected}.");
        if (text.Split("://") is not [var scheme, var place] || scheme is not ("http" or "https"))
            throw mistake;
        if (place.StartsWith("unix:/", StringComparison.Ordinal))
        {
            try
            {
                return [new(scheme, new UnixDomainSocketEndPoint(place[5..]))];
            }
            catch (ArgumentException error)
            {
                throw new ServeException($"'{text}': a Unix socket's path has at most 107 bytes.", error);
            }
        }

        place = place.TrimEnd('/');
        var colon = place.LastIndexOf(':');
        var host = colon < 0 || place.EndsWith(']') ? place : place[..colon];
        var port = scheme == "http" ? 80 : 443;
        if (host.Length < place.Length && (!int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port > IPEndPoint.MaxPort))
            throw mistake;
        return host switch
        {
            "localhost" when port != 0 && Socket.OSSupportsIPv6 => [new(scheme, new IPEndPoint(IPAddress.Loopback, port)), new(scheme, new IPEndPoint(IPAddress.IPv6Loopback, port))],
            "localhost" => [new(scheme, new IPEndPoint(IPAddress.Loopback, port))],
            "*" or "+" => [new(scheme, new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port))],
            _ => IPAddress.TryParse(host.Trim('[', ']'), out var address) ? [new(scheme, new IPEndPoint(address, port))] : throw mistake,
        };
    }

    /// <summary>Nothing can listen at both.</summary>
    public bool Overlaps(ListenAddress other) => (EndPoint, other.EndPoint) switch
    {
        (IPEndPoint one, IPEndPoint two) => one.Port == two.Port && one.Port != 0 && (one.Address.Equals(two.Address) || Holds(one.Address, two.Address) || Holds(two.Address, one.Address)),
        _ => EndPoint.Equals(other.EndPoint),
    };

    // The any-address of IPv6 is listened on for both.
    static bool Holds(IPAddress any, IPAddress other) => any.Equals(IPAddress.IPv6Any) || (any.Equals(IPAddress.Any) && other.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>As the workers read it.</summary>
    public string Word => $"{Scheme} {EndPoint}";

    public override string ToString() => EndPoint is UnixDomainSocketEndPoint ? $"{Scheme}://unix:{EndPoint}" : $"{Scheme}://{EndPoint}";
}
