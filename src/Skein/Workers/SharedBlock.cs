using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A region of shared memory with a number, by which the workers that have mapped it know it. Blocks are of sizes of powers of two and
/// are kept for the next use: mapping one, and the first touch of each of its pages, cost more than copying what it holds.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class SharedBlock
{
    const int Smallest = 64 * 1024;

    // For each size; enough for as many as are under way at once in a pool that keeps all processors of a large machine busy.
    const int KeptOfEachSize = 64;

    static readonly ConcurrentBag<SharedBlock>[] Kept = [.. Enumerable.Range(0, 32).Select(_ => new ConcurrentBag<SharedBlock>())];
    static int _count;

    readonly ConcurrentDictionary<ParentReferences, bool> _knownTo = new();

    SharedBlock(int number, MemoryRegion region)
    {
        Number = number;
        Region = region;
    }

    /// <summary>Unique in the process that made it.</summary>
    public int Number { get; }

    public MemoryRegion Region { get; }

    public static SharedBlock Rent(int length)
    {
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, Smallest));
        if (size < length)
            size = length;
        if (Kept[BitOperations.Log2((uint)size)].TryTake(out var kept) && kept.Region.Size >= (nuint)length)
            return kept;
        try
        {
            return new(Interlocked.Increment(ref _count), MemoryRegion.Create("skein-lease", (nuint)size));
        }
        catch (LinuxException error)
        {
            throw new PlaceException($"No lease of {length} bytes can be had: {error.Message}", error);
        }
    }

    public void Return()
    {
        var kept = Kept[BitOperations.Log2((uint)Region.Size)];
        if (kept.Count < KeptOfEachSize)
        {
            kept.Add(this);
            return;
        }

        foreach (var connection in _knownTo.Keys)
            connection.Forget(this);
        Region.Discard(0, Region.Size);
        Region.CloseDescriptor();   // unmapped by the collector: a span of the lease may still be looked at
    }

    /// <summary>Marks that a connection's worker has, or will have, mapped it.</summary>
    public void Introduce(ParentReferences connection) => _knownTo[connection] = true;

    public void Forget(ParentReferences connection) => _knownTo.TryRemove(connection, out _);
}

/// <summary>The memory of a lease: the whole region is kept as long as somebody refers to it.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe class BlockMemory(MemoryRegion region, int length) : MemoryManager<byte>
{
    public BlockMemory(SharedBlock block, int length) : this(block.Region, length) { }

    public override Span<byte> GetSpan() => new(region.Pointer, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(region.Pointer + elementIndex, default, this);

    public override void Unpin() { }

    protected override void Dispose(bool disposing) { }
}

/// <summary>A lease is not copied: the worker maps the same memory, once for each block.</summary>
[SupportedOSPlatform("linux")]
sealed class LeaseSurrogate : Surrogate
{
    const byte Known = 0, New = 1;

    public override bool Handles(Type type) => type == typeof(Lease);

    public override void Write(GraphWriter writer, object value)
    {
        var lease = (Lease)value;
        var connection = Connection.Of(writer, value);
        if (!connection.CarriesDescriptors)
            throw UnsharedLeaseSurrogate.Refusal();
        writer.WriteNumber((ulong)lease.Block.Number);
        writer.WriteNumber((ulong)lease.Length);
        if (connection.Introduce(lease.Block))
        {
            writer.WriteByte(New);
            writer.WriteNumber(lease.Block.Region.Size);
            writer.WriteNumber((ulong)connection.Attach(lease.Block.Region.Descriptor));
        }
        else
        {
            writer.WriteByte(Known);
        }

        connection.Retain(lease);
    }

    public override object Read(GraphReader reader)
    {
        var connection = Connection.Of(reader);
        var number = (int)reader.ReadNumber();
        var length = reader.ReadNumber();
        if (reader.ReadByte() == New)
        {
            var size = (nuint)reader.ReadNumber();
            connection.Map(number, MemoryRegion.Open(connection.Take((int)reader.ReadNumber()), size));
        }

        var region = connection.Mapped(number);
        if (length > region.Size)
            throw new InvalidDataException("A lease is longer than its block.");
        return new Lease(null, new BlockMemory(region, (int)length));
    }
}

/// <summary>Where processes share no memory, a lease stays at home.</summary>
sealed class UnsharedLeaseSurrogate : Surrogate
{
    public static CannotTravelException Refusal() =>
        new("lease", typeof(Lease), "a lease is memory that is shared, and the processes of this place share none with their caller (on Linux those of Place.OsProcess do); pass the bytes as an array, which is copied");

    public override bool Handles(Type type) => type == typeof(Lease);

    public override void Write(GraphWriter writer, object value) => throw Refusal();

    public override object Read(GraphReader reader) => throw new InvalidDataException("A lease came from a place that shares no memory.");
}
