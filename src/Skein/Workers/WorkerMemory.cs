using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The memory that a worker shares with its parent, and with nobody else: two rings, and the few words by which the parent knows what
/// the worker does without asking it.
/// </summary>
/// <remarks>
/// <code>
/// offset   0 slot that runs now     16 item of a chunk that runs now      256 state of each slot      4096 ring of calls, ring of results
///          8 when it started (monotonic clock, ticks of Stopwatch)
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed unsafe class WorkerMemory
{
    /// <summary>How many calls a worker may hold, started or not. More would hide nothing more; each costs a word.</summary>
    public const int Slots = 64;

    /// <summary>No slot runs.</summary>
    public const uint None = uint.MaxValue;

    // Half of a processor's second-level cache: messages pass through it without leaving the cache; larger ones go in pieces.
    const int RingCapacity = 512 * 1024;
    const int Header = 4096;

    static readonly nuint Total = Header + 2 * Ring.Size(RingCapacity);

    readonly MemoryRegion _region;

    WorkerMemory(MemoryRegion region)
    {
        _region = region;
        Calls = new(region.Pointer + Header, RingCapacity);
        Results = new(region.Pointer + Header + Ring.Size(RingCapacity), RingCapacity);
    }

    public static WorkerMemory Create()
    {
        var memory = new WorkerMemory(MemoryRegion.Create("skein-worker", Total));
        memory.RunningSlot = None;
        return memory;
    }

    public static WorkerMemory Open(int descriptor) => new(MemoryRegion.Open(descriptor, Total));

    public int Descriptor => _region.Descriptor;

    /// <summary>From the parent to the worker.</summary>
    public Ring Calls { get; }

    /// <summary>From the worker to the parent.</summary>
    public Ring Results { get; }

    /// <summary>The slot whose call runs, or <see cref="None"/>. Written by the worker.</summary>
    public uint RunningSlot
    {
        get => Volatile.Read(ref *(uint*)_region.Pointer);
        set => Volatile.Write(ref *(uint*)_region.Pointer, value);
    }

    /// <summary>When the call or the item that runs was started: the monotonic clock is one for all processes of a machine.</summary>
    public long StartedAt
    {
        get => Volatile.Read(ref *(long*)(_region.Pointer + 8));
        set => Volatile.Write(ref *(long*)(_region.Pointer + 8), value);
    }

    /// <summary>Which item of a chunk runs, the one that is at fault if the worker dies now; -1 when the call is no chunk.</summary>
    public int RunningItem
    {
        get => Volatile.Read(ref *(int*)(_region.Pointer + 16));
        set => Volatile.Write(ref *(int*)(_region.Pointer + 16), value);
    }

    /// <summary>The state of a slot: parent and worker agree on who owns a call by compare-and-swap.</summary>
    public ref uint Slot(int number) => ref *(uint*)(_region.Pointer + 256 + number * 4);

    /// <summary>Nobody else will be given this memory.</summary>
    public void CloseDescriptor() => _region.CloseDescriptor();

    /// <summary>
    /// Returns the pages. What is mapped stays mapped until nothing refers to it any more: threads may still be looking at the rings,
    /// and see zeros.
    /// </summary>
    public void GiveBack()
    {
        _region.Discard(0, _region.Size);
        Calls.Close();
        Results.Close();
        _region.CloseDescriptor();
    }
}

/// <summary>Who owns a call that was sent to a worker.</summary>
static class SlotState
{
    /// <summary>Nobody: the slot may be used.</summary>
    public const uint Free = 0;

    /// <summary>Sent, not started: the parent may still take it back.</summary>
    public const uint Queued = 1;

    /// <summary>Started: it is the worker's until its result, and lost with the worker.</summary>
    public const uint Running = 2;

    /// <summary>Taken back: the worker will skip it and free the slot.</summary>
    public const uint Revoked = 3;
}
