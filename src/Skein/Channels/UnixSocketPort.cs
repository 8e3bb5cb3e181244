using System.Runtime.Versioning;

namespace Skein;

/// <summary>One of a pair of Unix sockets of the kind that keeps message boundaries (SOCK_SEQPACKET, unix(7)).</summary>
[SupportedOSPlatform("linux")]
sealed class UnixSocketPort(int descriptor) : PacketPort
{
    int _descriptor = descriptor;

    public static (UnixSocketPort Reader, UnixSocketPort Writer) Create()
    {
        var (first, second) = SocketCalls.Pair(SocketCalls.SequencedPacket);
        return (new(first), new(second));
    }

    // The system's send buffer of 208 KB holds a few of these.
    public override int MaxPacket => 32 * 1024;

    public override bool SeesEnd => true;

    public override ReadOnlySpan<int> WaitDescriptors => new(in _descriptor);

    public override int[] Descriptors => [_descriptor];

    public override PortResult TryWrite(ReadOnlySpan<byte> packet) => SocketCalls.Send(_descriptor, packet) switch
    {
        >= 0 => PortResult.Moved,
        -Libc.EAGAIN => PortResult.Later,
        _ => PortResult.Over,
    };

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        length = SocketCalls.Receive(_descriptor, buffer);
        return length switch
        {
            > 0 => PortResult.Moved,
            -Libc.EAGAIN => PortResult.Later,
            _ => PortResult.Over,
        };
    }

    public override void Dispose() => Descriptor.Close(ref _descriptor);
}
