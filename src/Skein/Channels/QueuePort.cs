using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>A POSIX message queue without a name, opened by both sides. It knows no end of file: the lifeline does.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe class QueuePort(int descriptor) : PacketPort
{
    int _descriptor = descriptor;

    public static (QueuePort Reader, QueuePort Writer) Create(int capacity)
    {
        var queue = MessageQueueCalls.Create(Math.Min(capacity, MessageQueueCalls.MostMessages), MessageQueueCalls.MostBytes);
        return (new(queue), new(Descriptor.Duplicate(queue)));
    }

    public override int MaxPacket => MessageQueueCalls.MostBytes;

    public override ReadOnlySpan<int> WaitDescriptors => new(in _descriptor);

    public override int[] Descriptors => [_descriptor];

    public override PortResult TryWrite(ReadOnlySpan<byte> packet)
    {
        fixed (byte* bytes = packet)
        {
            while (MessageQueueCalls.Send(_descriptor, bytes, (nuint)packet.Length, 0) < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.EINTR: continue;
                    case Libc.EAGAIN: return PortResult.Later;
                    case var error: throw new LinuxException("mq_send", error);
                }
            }

            return PortResult.Moved;
        }
    }

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        length = 0;
        fixed (byte* bytes = buffer)
        {
            nint read;
            while ((read = MessageQueueCalls.Receive(_descriptor, bytes, (nuint)buffer.Length, null)) < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.EINTR: continue;
                    case Libc.EAGAIN: return PortResult.Later;
                    case var error: throw new LinuxException("mq_receive", error);
                }
            }

            length = (int)read;
            return PortResult.Moved;
        }
    }

    public override void Dispose() => Descriptor.Close(ref _descriptor);
}
