using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A pipe in packet mode (O_DIRECT, pipe(7)): a write of at most 4096 bytes is one packet, and a read gives one packet. So several
/// processes may write and read without ever seeing half of something, also when one of them is killed.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe class PipePort(int descriptor) : PacketPort
{
    const int SetSize = 1031;

    static readonly int PacketMode = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;   // O_DIRECT

    int _descriptor = descriptor;

    public static (PipePort Reader, PipePort Writer) Create()
    {
        var ends = stackalloc int[2];
        Libc.Check(Libc.Pipe(ends, PacketMode | Libc.NonBlocking | Libc.CloseOnExec), "pipe2");
        // A packet takes a page however short it is, so the default of 64 KB holds 16. The kernel may refuse: then it stays so.
        _ = Libc.Control(ends[1], SetSize, 1 << 20);
        return (new(ends[0]), new(ends[1]));
    }

    public override int MaxPacket => 4096;

    public override bool SeesEnd => true;

    public override ReadOnlySpan<int> WaitDescriptors => new(in _descriptor);

    public override int[] Descriptors => [_descriptor];

    public override PortResult TryWrite(ReadOnlySpan<byte> packet)
    {
        fixed (byte* bytes = packet)
        {
            while (Libc.Write(_descriptor, bytes, (nuint)packet.Length) < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.EINTR: continue;
                    case Libc.EAGAIN: return PortResult.Later;
                    case Libc.EPIPE: return PortResult.Over;
                    case var error: throw new LinuxException("write to a pipe", error);
                }
            }

            return PortResult.Moved;
        }
    }

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        fixed (byte* bytes = buffer)
        {
            nint read;
            while ((read = Libc.Read(_descriptor, bytes, (nuint)buffer.Length)) < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.EINTR: continue;
                    case Libc.EAGAIN: length = 0; return PortResult.Later;
                    case var error: throw new LinuxException("read of a pipe", error);
                }
            }

            length = (int)read;
            return read == 0 ? PortResult.Over : PortResult.Moved;
        }
    }

    public override void Dispose() => Descriptor.Close(ref _descriptor);
}
