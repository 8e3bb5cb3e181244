using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>A socket that listens for all workers. It is open until the server is to end, so nobody is refused while workers come and go.</summary>
[SupportedOSPlatform("linux")]
sealed class ListeningSocket : IDisposable
{
    /// <summary>As Kestrel's; the system may allow less.</summary>
    const int Backlog = 512;

    const int SetDescriptorFlags = 2, CloseOnExec = 1;

    readonly Socket _socket;
    string? _file;

    ListeningSocket(ListenAddress address, Socket socket, string? file = null)
    {
        _socket = socket;
        _file = file;
        Address = address with { EndPoint = socket.LocalEndPoint! };
    }

    /// <summary>Where it listens, with the port that the system chose where 0 was asked for.</summary>
    public ListenAddress Address { get; }

    public int Descriptor => (int)_socket.Handle;

    /// <exception cref="ServeException">Nothing can listen there: the message says why.</exception>
    public static ListeningSocket Open(ListenAddress address)
    {
        var internet = address.EndPoint as IPEndPoint;
        var socket = new Socket(address.EndPoint.AddressFamily, SocketType.Stream, internet is null ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (internet?.Address.Equals(IPAddress.IPv6Any) == true)
                socket.DualMode = true;
            if (internet is null)
                RemoveDead(address);
            socket.Bind(address.EndPoint);
            socket.Listen(Backlog);
            return new(address, socket, internet is null ? address.EndPoint.ToString() : null);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new ServeException(Explain(address, error), error);
        }
    }

    /// <summary>
    /// All that an address means, one of them at the least: localhost has two addresses, of which a machine may have one.
    /// </summary>
    /// <exception cref="ServeException">The text is no address, or nothing can listen there: the message says why.</exception>
    public static IReadOnlyList<ListeningSocket> OpenAll(string text)
    {
        var sockets = new List<ListeningSocket>();
        foreach (var address in ListenAddress.Parse(text))
        {
            try
            {
                sockets.Add(Open(address));
            }
            catch (ServeException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } && sockets.Count > 0)
            {
                // This machine has no IPv6.
            }
            catch
            {
                sockets.ForEach(socket => socket.Dispose());
                throw;
            }
        }

        return sockets;
    }

    /// <summary>One that was opened by who started this process.</summary>
    public static ListeningSocket Inherit(int descriptor, string scheme)
    {
        _ = Libc.Control(descriptor, SetDescriptorFlags, CloseOnExec);   // what the master starts (a build, say) must not hold the port
        var socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
        return socket.LocalEndPoint is { } place
            ? new(new(scheme, place), socket)
            : throw new ServeException($"Descriptor {descriptor}, which was handed to this process, is no socket that listens.");
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (Interlocked.Exchange(ref _file, null) is { } file)   // once: by now somebody else may listen there
            File.Delete(file);
    }

    // The file of a Unix socket stays when its server is killed; one that somebody listens on is not touched.
    static void RemoveDead(ListenAddress address)
    {
        if (!File.Exists(address.EndPoint.ToString()))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address.EndPoint);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(address.EndPoint.ToString()!);
        }
    }

    static string Explain(ListenAddress address, SocketException error) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => $"{address} is in use: something else listens there (ss -ltnp shows what).",
        SocketError.AddressNotAvailable when address.EndPoint is UnixDomainSocketEndPoint => $"{address}: there is no folder '{Path.GetDirectoryName(address.EndPoint.ToString())}'.",
        SocketError.AddressNotAvailable => $"{address} is not an address of this machine (ip address shows those that are).",
        SocketError.AccessDenied when address.EndPoint is IPEndPoint => $"{address}: this user may not listen on a port below 1024; take a higher one, or let systemd hand the socket over.",
        _ => $"{address}: {error.Message}.",
    };
}
