using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>The calls by which a super-server takes what comes, with who it comes from.</summary>
[SupportedOSPlatform("linux")]
static unsafe partial class ServiceAcceptor
{
    const int AddressSize = 128, SocketLevel = 1, LingerOption = 13, DoNotWait = 0x40, OwnLength = 0x20;

    /// <summary>The next connection, or minus the error number. The socket must not wait.</summary>
    public static int Accept(int listener, bool neverWaits, out Source source)
    {
        var address = stackalloc byte[AddressSize];
        var length = (uint)AddressSize;
        var connection = Accept(listener, address, &length, Libc.CloseOnExec | (neverWaits ? Libc.NonBlocking : 0));
        source = connection < 0 ? default : Source.Of(new(address, (int)Math.Min(length, AddressSize)));
        return connection < 0 ? -Marshal.GetLastPInvokeError() : connection;
    }

    /// <summary>Closes a connection so that its client sees it broken, and takes nothing for an answer.</summary>
    public static void Refuse(int connection)
    {
        var now = stackalloc int[] { 1, 0 };   // struct linger: on, no time
        _ = SetOption(connection, SocketLevel, LingerOption, now, 2 * sizeof(int));
        _ = Libc.Close(connection);
    }

    /// <summary>Moves a connection to a lower descriptor, if one is free that is not for the runtime.</summary>
    public static bool TryMove(ref int connection)
    {
        const int DuplicateCloseOnExec = 1030;
        var lower = Libc.Control(connection, DuplicateCloseOnExec, 0);
        var isBetter = lower >= 0 && !Descriptor.IsReserved(lower);
        if (isBetter)
            (connection, lower) = (lower, connection);
        if (lower >= 0)
            _ = Libc.Close(lower);
        return isBetter;
    }

    /// <summary>The next datagram's own length, also where it did not fit, or minus the error number. Does not wait.</summary>
    /// <param name="address">Where an answer goes: as the kernel wrote it.</param>
    public static int Receive(int socket, Span<byte> datagram, Span<byte> address, out int addressLength)
    {
        fixed (byte* bytes = datagram, from = address)
        {
            var length = (uint)address.Length;
            var received = (int)ReceiveFrom(socket, bytes, (nuint)datagram.Length, DoNotWait | OwnLength, from, &length);
            addressLength = (int)length;
            return received < 0 ? -Marshal.GetLastPInvokeError() : received;
        }
    }

    /// <summary>When the datagram came that is the first to be taken, which tells it from others; null: none is there.</summary>
    public static long? FirstArrival(int socket)
    {
        const int StampOption = 35, Peek = 2;
        var on = 1;
        _ = SetOption(socket, SocketLevel, StampOption, &on, sizeof(int));   // programs that do not ask for it are not told
        var control = stackalloc long[8];   // struct cmsghdr: its length, its level and type, then seconds and nanoseconds
        var header = stackalloc nint[7];    // struct msghdr: no address, no bytes, the control block and its length
        (header[4], header[5]) = ((nint)control, 8 * sizeof(long));
        if (ReceiveMessage(socket, header, Peek | DoNotWait) < 0)
            return null;
        return header[5] > 0 && control[1] == ((long)StampOption << 32 | SocketLevel) ? control[2] * 1_000_000_000 + control[3] : 0;
    }

    /// <summary>Sends an answer; one that cannot be sent now is lost, as datagrams may be.</summary>
    public static void Send(int socket, ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> address)
    {
        fixed (byte* bytes = datagram, to = address)
            _ = SendTo(socket, bytes, (nuint)datagram.Length, DoNotWait, to, (uint)address.Length);
    }

    /// <summary>Whether something waits to be taken.</summary>
    public static bool IsReadable(int socket)
    {
        var look = new Libc.PollDescriptor(socket, Libc.PollIn);
        return Libc.Poll(&look, 1, 0) > 0;
    }

    /// <summary>Whether the client of a connection has left, and takes no answer any more: one that has only said all has not.</summary>
    public static bool IsBroken(int connection)
    {
        var look = new Libc.PollDescriptor(connection, 0);   // hang-up and error are told unasked
        return Libc.Poll(&look, 1, 0) > 0;
    }

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)] private static partial int Accept(int socket, byte* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)] private static partial int SetOption(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "recvfrom", SetLastError = true)]
    private static partial nint ReceiveFrom(int socket, byte* bytes, nuint length, int flags, byte* address, uint* addressLength);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)] private static partial nint ReceiveMessage(int socket, nint* header, int flags);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    private static partial nint SendTo(int socket, byte* bytes, nuint length, int flags, byte* address, uint addressLength);
}
