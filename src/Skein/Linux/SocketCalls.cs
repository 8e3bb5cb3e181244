using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Sockets by their plain calls: descriptors that can be passed on, and no System.Net.Sockets, which costs a starting process 13 ms.
/// </summary>
[SupportedOSPlatform("linux")]
static unsafe partial class SocketCalls
{
    public const int Unix = 1, Internet = 2, Internet6 = 10;
    public const int Stream = 1, Datagram = 2, SequencedPacket = 5;
    const int NonBlocking = 0x800, CloseOnExec = 0x80000, NoSignal = 0x4000, DoNotWait = 0x40, LookOnly = 2, Discard = 0x20;
    const int SocketLevel = 1, ReceiveBuffer = 8, LowWaterMark = 18;

    public static (int First, int Second) Pair(int type)
    {
        var ends = stackalloc int[2];
        Libc.Check(SocketPair(Unix, type | CloseOnExec | NonBlocking, 0, ends), "socketpair");
        return (ends[0], ends[1]);
    }

    /// <summary>A socket bound to an address; port 0 lets the system choose one.</summary>
    public static int Bound(IPEndPoint address, int type)
    {
        var socket = Libc.Check(Create(Family(address), type | CloseOnExec | NonBlocking, 0), "socket");
        var bytes = stackalloc byte[28];
        if (Bind(socket, bytes, Format(address, bytes)) >= 0)
            return socket;
        var error = LinuxException.Last($"bind to {address}");
        _ = Libc.Close(socket);
        throw error;
    }

    /// <summary>A socket connected to an address. On one machine this does not wait.</summary>
    public static int Connected(IPEndPoint address, int type)
    {
        var socket = Libc.Check(Create(Family(address), type | CloseOnExec, 0), "socket");
        var bytes = stackalloc byte[28];
        if (Connect(socket, bytes, Format(address, bytes)) >= 0)
        {
            Descriptor.NeverWait(socket);
            return socket;
        }

        var error = LinuxException.Last($"connect to {address}");
        _ = Libc.Close(socket);
        throw error;
    }

    public static void Listen(int socket) => Libc.Check(Listen(socket, 128), "listen");

    /// <summary>The next connection, or -1 when none came in time.</summary>
    public static int Accept(int listener, int milliseconds) =>
        Libc.IsReadyWithin(listener, Libc.PollIn, milliseconds) ? Accept(listener, null, null, CloseOnExec | NonBlocking) : -1;

    /// <summary>Messages are sent at once: no waiting for more to fill a segment.</summary>
    public static void SendAtOnce(int socket)
    {
        var one = 1;
        Libc.Check(SetOption(socket, 6, 1, &one, sizeof(int)), "setsockopt(TCP_NODELAY)");
    }

    public static IPEndPoint Address(int socket)
    {
        var bytes = stackalloc byte[28];
        var length = 28u;
        Libc.Check(GetName(socket, bytes, &length), "getsockname");
        var port = BinaryPrimitives.ReadUInt16BigEndian(new(bytes + 2, 2));
        return *(ushort*)bytes == Internet
            ? new(new IPAddress(new ReadOnlySpan<byte>(bytes + 4, 4)), port)
            : new(new IPAddress(new ReadOnlySpan<byte>(bytes + 8, 16)), port);
    }

    /// <summary>Bytes sent, or minus the error number.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            nint sent;
            while ((sent = Send(socket, first, (nuint)bytes.Length, NoSignal | DoNotWait)) < 0)
            {
                if (Marshal.GetLastPInvokeError() is not Libc.EINTR and var error)
                    return -error;
            }

            return (int)sent;
        }
    }

    /// <summary>Bytes received, 0 at the end of file, or minus the error number.</summary>
    public static int Receive(int socket, Span<byte> buffer) => Receive(socket, buffer, DoNotWait);

    /// <summary>As <see cref="Receive(int, Span{byte})"/>, but what was received stays there.</summary>
    public static int Peek(int socket, Span<byte> buffer) => Receive(socket, buffer, DoNotWait | LookOnly);

    /// <summary>Takes bytes of a TCP stream that were peeked.</summary>
    public static nint Skip(int socket, int length) => Receive(socket, null, (nuint)length, DoNotWait | Discard);

    /// <summary>How much a connection of this listener keeps for its receiver, in bytes; the system may give less.</summary>
    public static void BufferReceived(int listener, int length) => Libc.Check(SetOption(listener, SocketLevel, ReceiveBuffer, &length, sizeof(int)), "setsockopt(SO_RCVBUF)");

    /// <summary>The socket counts as readable only from this many bytes on, or at its end.</summary>
    public static void ReadableFrom(int socket, int length) => Libc.Check(SetOption(socket, SocketLevel, LowWaterMark, &length, sizeof(int)), "setsockopt(SO_RCVLOWAT)");

    /// <summary>Bytes that have arrived and were not taken.</summary>
    public static int Unread(int socket)
    {
        const nuint BytesToRead = 0x541B;   // FIONREAD
        int count;
        return Control(socket, BytesToRead, &count) < 0 ? 0 : count;
    }

    /// <summary>The other side sends no more; what it had sent can still be read.</summary>
    public static bool HasEnded(int socket)
    {
        const short PeerHangUp = 0x2000;
        var poll = new Libc.PollDescriptor(socket, PeerHangUp);
        return Libc.Poll(&poll, 1, 0) > 0;
    }

    static int Receive(int socket, Span<byte> buffer, int flags)
    {
        fixed (byte* first = buffer)
        {
            nint received;
            while ((received = Receive(socket, first, (nuint)buffer.Length, flags)) < 0)
            {
                if (Marshal.GetLastPInvokeError() is not Libc.EINTR and var error)
                    return -error;
            }

            return (int)received;
        }
    }

    static int Family(IPEndPoint address) => address.AddressFamily == AddressFamily.InterNetwork ? Internet : Internet6;

    static uint Format(IPEndPoint address, byte* bytes)
    {
        new Span<byte>(bytes, 28).Clear();
        *(ushort*)bytes = (ushort)Family(address);
        BinaryPrimitives.WriteUInt16BigEndian(new(bytes + 2, 2), (ushort)address.Port);
        var four = address.AddressFamily == AddressFamily.InterNetwork;
        address.Address.TryWriteBytes(four ? new(bytes + 4, 4) : new Span<byte>(bytes + 8, 16), out _);
        return four ? 16u : 28u;
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)] private static partial int SocketPair(int domain, int type, int protocol, int* ends);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)] private static partial int Create(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)] private static partial int Bind(int socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)] private static partial int Connect(int socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)] private static partial int Listen(int socket, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)] private static partial int Accept(int socket, byte* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)] private static partial int GetName(int socket, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)] private static partial int SetOption(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)] private static partial int Control(int socket, nuint request, int* value);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)] private static partial nint Send(int socket, byte* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)] private static partial nint Receive(int socket, byte* bytes, nuint length, int flags);
}
