using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>The socket of a service: bound at first, and open for connections when the service is ready.</summary>
[SupportedOSPlatform("linux")]
sealed class ServiceSocket : IDisposable
{
    readonly Socket _socket;

    ServiceSocket(ServiceEndpoint endpoint, Socket socket)
    {
        (EndPoint, _socket, Address) = (endpoint, socket, socket.LocalEndPoint!);
        Name = endpoint.Path is not null ? $"{endpoint}" : endpoint.Type == SocketType.Stream ? $"tcp://{Address}" : $"udp://{Address}";
    }

    public ServiceEndpoint EndPoint { get; }

    /// <summary>With the port that it got.</summary>
    public EndPoint Address { get; }

    /// <summary>The same as it is written in a file.</summary>
    public string Name { get; }

    public int Handle => (int)_socket.Handle;

    /// <exception cref="IOException">Nobody can listen there; the message says why and what to do.</exception>
    public static ServiceSocket Bind(ServiceEndpoint endpoint)
    {
        var (address, isStream) = (endpoint.Address, endpoint.Type == SocketType.Stream);
        var socket = new Socket(address.AddressFamily, endpoint.Type, endpoint.Path is not null ? ProtocolType.Unspecified : isStream ? ProtocolType.Tcp : ProtocolType.Udp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = endpoint.DualMode;
            if (endpoint.SendBuffer is { } send)
                socket.SendBufferSize = send;
            if (endpoint.ReceiveBuffer is { } receive)
                socket.ReceiveBufferSize = receive;   // before listening: the window of a connection is agreed on when it is made
            if (endpoint.Path is { } path && path[0] != '@')
                RemoveLeftOver(path, endpoint.Type);
            socket.Bind(address);
            if (endpoint is { FileMode: { } mode, Path: { } file } && file[0] != '@')
                File.SetUnixFileMode(file, mode);
            return new(endpoint, socket);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw Listener.Failure(address, error);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>From now on clients can connect.</summary>
    public void Listen(int backlog)
    {
        if (EndPoint.Type != SocketType.Stream)
            return;
        if (EndPoint.Path is null)
            _socket.NoDelay = true;   // connections have it from their listener
        try
        {
            _socket.Listen(backlog);
        }
        catch (SocketException error)
        {
            throw Listener.Failure(EndPoint.Address, error);
        }
    }

    /// <summary>Whether its calls fail where they would have to wait, for every holder of it.</summary>
    public void NeverWait(bool never) => _socket.Blocking = !never;

    /// <summary>Its file goes with it: the framework sees to that.</summary>
    public void Dispose() => _socket.Dispose();

    // A server that was killed leaves its file behind, and nobody answers there.
    static void RemoveLeftOver(string path, SocketType type)
    {
        if (!File.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // Whatever it is, the bind says so.
        }
    }

    // What connects to a plain file is refused, too; but that one can be opened.
    static bool IsSocket(string path)
    {
        const int NoSuchDevice = 6;
        try
        {
            var file = ProcessFile.Open(path, Libc.CloseOnExec | Libc.NonBlocking);
            _ = Libc.Close(file);
            return false;
        }
        catch (LinuxException error)
        {
            return error.Error == NoSuchDevice;
        }
    }
}
