using System.Runtime.Versioning;

namespace Skein;

/// <summary>What came of trying to move a packet.</summary>
enum PortResult
{
    /// <summary>The packet was moved, whole.</summary>
    Moved,

    /// <summary>Not now: no room, or nothing there.</summary>
    Later,

    /// <summary>Never again: the other side is gone, and for a reader everything has been read.</summary>
    Over,
}

/// <summary>
/// One end of what carries a channel, for one direction. A port moves packets, each whole or not at all, and never waits. All that
/// kinds have in common (items longer than a packet, capacity, completion, death, waiting) is built once, on top of this.
/// </summary>
[SupportedOSPlatform("linux")]
abstract class PacketPort : IDisposable
{
    /// <summary>The longest packet, in bytes, with its header.</summary>
    public abstract int MaxPacket { get; }

    /// <summary>Where to wait when there is nothing, or no room. None: the other side rings the lifeline's bell.</summary>
    public virtual ReadOnlySpan<int> WaitDescriptors => [];

    /// <summary>What travels with the end, besides the control page and the lifeline.</summary>
    public abstract int[] Descriptors { get; }

    /// <summary>True when the port itself sees an end of file, after the last packet. Otherwise the lifeline's counts.</summary>
    public virtual bool SeesEnd => false;

    /// <summary>True while the rest of an item is on its way and will come, or its writer's end of file: no item is taken in between.</summary>
    public virtual bool IsMidItem => false;

    /// <summary>True when nothing of a writer that has ended can come any more, once a look found nothing.</summary>
    public virtual bool HasAllOf(int writer) => true;

    /// <summary>True when the last <see cref="PortResult.Later"/> was only somebody else's turn: try again soon, nobody will call.</summary>
    public virtual bool IsContended => false;

    public abstract PortResult TryWrite(ReadOnlySpan<byte> packet);

    public abstract PortResult TryRead(Span<byte> buffer, out int length);

    /// <summary>Another process may have used the other descriptors of this port since.</summary>
    public virtual void Refresh()
    {
    }

    /// <summary>Waits a little for a packet where that is cheaper than being woken. True when one came.</summary>
    public virtual bool Spin() => false;

    /// <summary>The descriptors of a further end of the same direction.</summary>
    public virtual int[] DescriptorsForAnother() => [.. Descriptors.Select(Descriptor.Duplicate)];

    public abstract void Dispose();
}
