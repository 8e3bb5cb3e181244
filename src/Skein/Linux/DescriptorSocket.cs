using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// One end of a pair of connected Unix sockets that keep message boundaries and can pass open descriptors (SCM_RIGHTS, unix(7)).
/// The other end's death is an end of file here. Plain blocking calls: System.Net.Sockets costs a starting process 13 ms.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class DescriptorSocket(int descriptor) : IDisposable
{
    /// <summary>What one message may hold; a constant both ends know.</summary>
    public const int MaxMessage = 64 * 1024;

    int _descriptor = descriptor;

    public int Descriptor => _descriptor;

    public static (DescriptorSocket Here, DescriptorSocket There) Pair()
    {
        var ends = stackalloc int[2];
        Libc.Check(SocketPair(Unix, SequencedPacket | SocketCloseOnExec, 0, ends), "socketpair");
        return (new(ends[0]), new(ends[1]));
    }

    /// <summary>Sends one message, and with it a descriptor (or -1 for none), which stays open here.</summary>
    public void Send(ReadOnlySpan<byte> message, int passed = -1) => TrySend(message, canWait: true, passed);

    /// <summary>The same; false where the other end has so much to receive that it would have to wait, and must not.</summary>
    public bool TrySend(ReadOnlySpan<byte> message, bool canWait, int passed = -1)
    {
        fixed (byte* bytes = message)
        {
            var part = new Part { Bytes = bytes, Length = (nuint)message.Length };
            var control = new Rights { Length = 20, Level = SocketLevel, Type = PassRights, Descriptor = passed };
            var header = new Header { Parts = &part, PartCount = 1 };
            if (passed >= 0)
            {
                header.Control = &control;
                header.ControlLength = (nuint)sizeof(Rights);
            }

            while (SendMessage(_descriptor, &header, canWait ? NoSignal : NoSignal | DoNotWait) < 0)
            {
                if (!canWait && Marshal.GetLastPInvokeError() == Libc.EAGAIN)
                    return false;
                if (Marshal.GetLastPInvokeError() != Libc.EINTR)
                    throw LinuxException.Last("sendmsg");
            }

            return true;
        }
    }

    /// <summary>Receives one message and the descriptor that came with it (-1: none). Length 0 means that the other end is gone.</summary>
    public int Receive(Span<byte> buffer, out int passed)
    {
        passed = -1;
        fixed (byte* bytes = buffer)
        {
            var part = new Part { Bytes = bytes, Length = (nuint)buffer.Length };
            var control = new Rights { Descriptor = -1 };
            while (true)
            {
                var header = new Header { Parts = &part, PartCount = 1, Control = &control, ControlLength = (nuint)sizeof(Rights) };
                var length = ReceiveMessage(_descriptor, &header, ReceivedCloseOnExec);
                if (length < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR)
                    continue;
                if (length <= 0)
                    return 0;
                if (header.ControlLength >= 20 && control is { Level: SocketLevel, Type: PassRights })
                    passed = control.Descriptor;
                return (int)length;
            }
        }
    }

    /// <summary>Waits until something can be received, or the other end is gone; false: not in this time.</summary>
    public bool IsReadable(int milliseconds) => Libc.IsReadyWithin(_descriptor, Libc.PollIn, milliseconds);

    /// <summary>Waits until something can be sent, or nothing ever will; not longer than this time.</summary>
    public void WaitUntilWritable(int milliseconds) => _ = Libc.IsReadyWithin(_descriptor, Libc.PollOut, milliseconds);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _descriptor, -1) is >= 0 and var open)
            _ = Libc.Close(open);
    }

    const int Unix = 1, SequencedPacket = 5, SocketCloseOnExec = 0x80000, SocketLevel = 1, PassRights = 1;
    const int NoSignal = 0x4000, DoNotWait = 0x40, ReceivedCloseOnExec = 0x40000000;

    [StructLayout(LayoutKind.Sequential)]
    struct Part
    {
        public byte* Bytes;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Rights
    {
        public ulong Length;
        public int Level, Type, Descriptor, Padding;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Header
    {
        public void* Name;
        public uint NameLength;
        public Part* Parts;
        public nuint PartCount;
        public Rights* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)] private static partial int SocketPair(int domain, int type, int protocol, int* ends);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)] private static partial nint SendMessage(int descriptor, Header* header, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)] private static partial nint ReceiveMessage(int descriptor, Header* header, int flags);
}
