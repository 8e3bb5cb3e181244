using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>Accepts connections on the loop's thread, as long as there is room for them.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class Listener(Socket socket, SocketLoop loop, Func<bool> hasRoom, Action<int, EndPoint?> accepted, ILogger logger)
{
    const int AcceptAtOnce = 64, AddressSize = 128;

    // Descriptors come back when connections end: to try at once would only burn the processor.
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    readonly string? _file = (socket.LocalEndPoint as UnixDomainSocketEndPoint)?.ToString();
    ulong _token;
    int _latest;
    bool _isFull, _isClosed;

    public EndPoint Address { get; } = socket.LocalEndPoint!;

    public static Socket Bind(EndPoint endpoint, int backlog)
    {
        try
        {
            return endpoint is FileHandleEndPoint inherited ? Inherit(inherited, backlog) : Create(endpoint, backlog);
        }
        catch (SocketException error)
        {
            throw Failure(endpoint, error);
        }
    }

    /// <summary>Why nobody can listen there, and what to do.</summary>
    public static IOException Failure(EndPoint endpoint, SocketException error)
    {
        var hint = error.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse when endpoint is UnixDomainSocketEndPoint => "A server listens there, or left its file behind: remove the file if none runs.",
            SocketError.AddressAlreadyInUse => "Another program listens there: stop it, or choose another port.",
            SocketError.AddressNotAvailable => "This machine has no such address.",
            SocketError.AccessDenied => "This user may not: ports below 1024 need a privilege, files a folder that can be written.",
            _ => "Choose another address.",
        };
        return new($"Cannot listen on {endpoint}: {error.Message}. {hint}", error);
    }

    /// <summary>Begins to accept.</summary>
    public void Open() => _token = loop.Watch(Handle, Accept);

    /// <summary>A connection has ended: there is room again.</summary>
    public void Resume()
    {
        if (_isFull)
            Accept();
    }

    public void Close()
    {
        _isClosed = true;
        loop.Unwatch(Handle, _token);
        socket.Dispose();
        if (_file is not null && !_file.StartsWith('@') && !IsInherited)
            File.Delete(_file);
    }

    /// <summary>Its file belongs to whoever made the socket.</summary>
    public bool IsInherited { get; init; }

    int Handle => (int)socket.Handle;

    void Accept()
    {
        _isFull = false;
        var address = stackalloc byte[AddressSize];
        for (var count = 0; !_isClosed; count++)
        {
            if (!hasRoom())
            {
                _isFull = true;
                return;
            }

            if (count == AcceptAtOnce)
            {
                loop.Schedule(static listener => ((Listener)listener!).Accept(), this);
                return;
            }

            // The runtime needs the last descriptors for threads, and aborts without: who comes now waits in the kernel's queue.
            var length = (uint)AddressSize;
            var isLeft = Descriptor.IsLeft(_latest, Handle);
            var connection = isLeft ? Accept(Handle, address, &length, Libc.CloseOnExec | Libc.NonBlocking) : -1;
            if (connection >= 0)
            {
                _latest = connection;
                accepted(connection, Remote(new(address, (int)length)));
                continue;
            }

            var error = isLeft ? Marshal.GetLastPInvokeError() : Libc.EMFILE;
            if (error == Libc.EAGAIN)
                return;
            if (IsOfTheSystem(error))
            {
                logger.AcceptPaused(Marshal.GetPInvokeErrorMessage(error), Pause);
                _ = Task.Delay(Pause, TimeProvider.System).ContinueWith(
                    static (_, listener) => ((Listener)listener!).AcceptLater(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                return;
            }
        }
    }

    void AcceptLater() => loop.Schedule(static listener => ((Listener)listener!).Accept(), this);

    // Others are of the one connection that was to be accepted, and gone with it: accept(2).
    static bool IsOfTheSystem(int error) => error is Libc.EMFILE or 23 /* ENFILE */ or 105 /* ENOBUFS */ or 12 /* ENOMEM */;

    EndPoint? Remote(ReadOnlySpan<byte> bytes)
    {
        if (Address is not IPEndPoint)
            return null;
        var address = new SocketAddress(Address.AddressFamily, bytes.Length);
        bytes.CopyTo(address.Buffer.Span);
        return Address.Create(address);
    }

    static Socket Create(EndPoint endpoint, int backlog)
    {
        var isInternet = endpoint is IPEndPoint;
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, isInternet ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endpoint);
            return Listen(socket, isInternet, backlog);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static Socket Inherit(FileHandleEndPoint inherited, int backlog)
    {
        const int SetDescriptorFlags = 2, CloseOnExec = 1;
        var socket = new Socket(new SafeSocketHandle((nint)inherited.FileHandle, ownsHandle: true));
        if (socket.SocketType != SocketType.Stream)
            throw new ArgumentException($"Descriptor {inherited.FileHandle} is a socket for {socket.SocketType}, not for streams.");
        _ = Libc.Control((int)inherited.FileHandle, SetDescriptorFlags, CloseOnExec);
        return Listen(socket, socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6, backlog);
    }

    static Socket Listen(Socket socket, bool isInternet, int backlog)
    {
        if (isInternet)
            socket.NoDelay = true;   // connections have it from their listener
        socket.Blocking = false;
        socket.Listen(backlog);
        return socket;
    }

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)] private static partial int Accept(int socket, byte* address, uint* length, int flags);
}
