using System.Buffers;

namespace Skein;

/// <summary>
/// A block of bytes that this process and the workers it is passed to see at the same time: a large argument or result without a copy,
/// and without a fresh array for each task.
/// <code>
/// using var image = Lease.Rent(1 &lt;&lt; 20);
/// file.ReadExactly(image.Span);
/// await pool.RunAsync(static image => Filter.Sharpen(image.Span), image);      // works on the same bytes
/// </code>
/// </summary>
/// <remarks>
/// Blocks are reused after they are disposed of; one that a task still works with is kept until that has ended. Their content is that of
/// their last use. Nobody locks them: while a task runs that got a lease, who else touches the bytes does so as with any shared memory
/// (<see cref="Interlocked"/> works).
/// </remarks>
public sealed class Lease : IDisposable
{
    readonly SharedBlock? _block;   // null: memory of this process alone, where there are no other places
    readonly MemoryManager<byte> _memory;
    int _users = 1;
    int _disposed;

    internal Lease(SharedBlock? block, MemoryManager<byte> memory)
    {
        _block = block;
        _memory = memory;
    }

    /// <summary>In bytes.</summary>
    public int Length => Memory.Length;

    /// <summary>The bytes.</summary>
    public Span<byte> Span => Memory.Span;

    /// <summary>The bytes, for asynchronous use.</summary>
    public Memory<byte> Memory
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return _memory.Memory;
        }
    }

    /// <summary>A block of this many bytes.</summary>
    /// <exception cref="PlaceException">There is no shared memory to be had.</exception>
    public static Lease Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (!OperatingSystem.IsLinux())
            return new(null, new PinnedMemory(length));
        var block = SharedBlock.Rent(length);
        return new(block, new BlockMemory(block, length));
    }

    /// <summary>Gives the block back, as soon as no task works with it any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Release();
    }

    /// <summary>The shared memory, for sending.</summary>
    internal SharedBlock Block => _block ?? throw new PlatformNotSupportedException("There is no shared memory on this operating system.");

    internal void Retain() => Interlocked.Increment(ref _users);

    internal void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0 && OperatingSystem.IsLinux())
            _block?.Return();
    }

    sealed class PinnedMemory(int length) : MemoryManager<byte>
    {
        readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);

        public override Span<byte> GetSpan() => _bytes;

        public override unsafe MemoryHandle Pin(int elementIndex = 0) => _bytes.AsMemory(elementIndex).Pin();

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
