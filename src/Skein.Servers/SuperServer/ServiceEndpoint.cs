using System.Net;
using System.Net.Sockets;

namespace Skein;

/// <summary>Where a service listens.</summary>
public sealed record ServiceEndpoint
{
    ServiceEndpoint(EndPoint address, SocketType type) => (Address, Type) = (address, type);

    /// <summary>TCP. Port 0 is one that is free.</summary>
    public static ServiceEndpoint Tcp(IPAddress address, int port) => new(new IPEndPoint(address, port), SocketType.Stream);

    /// <summary>UDP.</summary>
    public static ServiceEndpoint Udp(IPAddress address, int port) => new(new IPEndPoint(address, port), SocketType.Dgram);

    /// <summary>A Unix socket for connections; a path that begins with <c>@</c> is a name without a file.</summary>
    public static ServiceEndpoint Unix(string path) => new(UnixAddress(path), SocketType.Stream) { Path = path };

    /// <summary>A Unix socket for datagrams.</summary>
    public static ServiceEndpoint UnixDatagram(string path) => new(UnixAddress(path), SocketType.Dgram) { Path = path };

    /// <summary>The address.</summary>
    public EndPoint Address { get; }

    /// <summary><see cref="SocketType.Stream"/> or <see cref="SocketType.Dgram"/>.</summary>
    public SocketType Type { get; }

    /// <summary>A socket of IPv6 takes IPv4, too.</summary>
    public bool DualMode { get; init; }

    /// <summary>The system's buffer for what is to be sent, in bytes; null: as it chooses.</summary>
    public int? SendBuffer { get; init; }

    /// <summary>The system's buffer for what was received, in bytes; null: as it chooses.</summary>
    public int? ReceiveBuffer { get; init; }

    /// <summary>Who may connect to a Unix socket: the permissions of its file. Null: as the umask says.</summary>
    public UnixFileMode? FileMode { get; init; }

    internal string? Path { get; private init; }

    /// <summary>As it is written: <c>tcp://127.0.0.1:9418</c>, <c>unix:/run/service</c>.</summary>
    public override string ToString() => (Path, Type) switch
    {
        (null, SocketType.Stream) => $"tcp://{Address}",
        (null, _) => $"udp://{Address}",
        (var path, SocketType.Stream) => $"unix:{path}",
        var (path, _) => $"unix-dgram:{path}",
    };

    static UnixDomainSocketEndPoint UnixAddress(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path[0] == '@' ? "\0" + path[1..] : path);
    }
}
