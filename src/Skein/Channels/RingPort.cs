using System.Runtime.Versioning;

namespace Skein;

/// <summary>A <see cref="Ring"/> behind the control page, in the same shared memory.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe class RingPort(MemoryRegion region, int capacity = RingPort.Capacity) : PacketPort
{
    /// <summary>Bytes in the ring: it need not hold all items, only enough that the two sides seldom wait for each other.</summary>
    public const int Capacity = 1 << 20;

    readonly Ring _ring = new(region.Pointer + ControlPage.Size, capacity);
    RingSpin _spin;
    uint _writes;

    public Ring Ring => _ring;

    public override int MaxPacket => 64 * 1024;

    public override int[] Descriptors => [];

    public override PortResult TryWrite(ReadOnlySpan<byte> packet)
    {
        if (!_ring.TryClaim(packet.Length, out var space))
            return PortResult.Later;
        packet.CopyTo(space);
        if ((++_writes & 63) == 1)
            _ring.PublishProducerCpu();
        _ring.Commit();
        return PortResult.Moved;
    }

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!_ring.TryPeek(out var packet, out _))
            return PortResult.Later;
        if (packet.Length > buffer.Length)
            throw new InvalidDataException($"The channel is corrupt: a packet of {packet.Length} bytes.");
        packet.CopyTo(buffer);
        length = packet.Length;
        _ring.Release();
        return PortResult.Moved;
    }

    public override void Refresh() => _ring.Refresh();

    public override bool Spin() => _spin.SpinUntilReadable(_ring);

    public override void Dispose()
    {
    }
}
