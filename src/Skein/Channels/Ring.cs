using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A ring of messages in shared memory with one producer and one consumer. <see cref="TryClaim"/> gives a span inside the ring,
/// <see cref="Commit"/> publishes it; <see cref="TryPeek"/> gives the oldest message in place, <see cref="Release"/> frees it.
/// </summary>
/// <remarks>
/// <para>Crash-safe by construction: what a killed producer had claimed and not committed was never visible, and neither side holds a
/// lock that could die with it. The positions only grow; each is written by one side.</para>
/// <para>Waiting is the caller's policy: it spins on <see cref="TryPeek"/> as long as it likes, then sleeps on a futex. The side that
/// publishes pays for a wake-up only when the other one sleeps. A sleeper gets no end of file when its peer dies: whoever watches the
/// peer calls <see cref="Close"/>.</para>
/// <code>
/// offset   0 tail (producer writes)      256 consumer sleeps      512 closed               4096 messages:
///        128 head (consumer writes)      384 producer sleeps      640, 768 processors      length u32, flags u32, bytes, padding to 8
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed unsafe class Ring
{
    const int Header = 4096;
    const uint Skip = uint.MaxValue;   // the rest of the ring is unused: the next message stands at its start

    readonly byte* _base, _messages;
    readonly ulong _capacity, _mask;
    ulong _tail, _nextTail, _seenHead;   // the producer's own
    ulong _head, _nextHead, _seenTail;   // the consumer's own

    /// <param name="memory">Zeroed, or in use by the other side; <see cref="Size"/> bytes.</param>
    /// <param name="capacity">In bytes; a power of two.</param>
    public Ring(byte* memory, int capacity)
    {
        if (capacity < 4096 || (capacity & (capacity - 1)) != 0)
            throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "The capacity of a ring is a power of two of at least 4096 bytes.");
        _base = memory;
        _messages = memory + Header;
        _capacity = (ulong)capacity;
        _mask = _capacity - 1;
        _tail = _seenTail = Volatile.Read(ref Tail);
        _head = _seenHead = Volatile.Read(ref Head);
    }

    /// <summary>Reads the positions anew: for one of several users of a side, who take turns under a lock.</summary>
    public void Refresh()
    {
        _tail = _seenTail = Volatile.Read(ref Tail);
        _head = _seenHead = Volatile.Read(ref Head);
    }

    /// <summary>Where each side ran when it last waited (0: it never did, else the processor's number + 1); for a policy of waiting.</summary>
    public ref int ConsumerCpu => ref *(int*)(_base + 640);

    /// <inheritdoc cref="ConsumerCpu"/>
    public ref int ProducerCpu => ref *(int*)(_base + 768);

    /// <summary>Now and then, so that a consumer knows where a producer runs that never waits.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void PublishProducerCpu() => Volatile.Write(ref ProducerCpu, Cpu.Current() + 1);

    /// <summary>Bytes of memory that a ring of this capacity takes.</summary>
    public static nuint Size(int capacity) => (nuint)(Header + capacity);

    /// <summary>In bytes.</summary>
    public int Capacity => (int)_capacity;

    /// <summary>The longest message, in bytes: with a quarter of the ring each, the two sides need not work in lock-step.</summary>
    public int MaxMessage => (int)(_capacity / 4) - 16;

    /// <summary>True once one side has ended or died; what was committed before can still be read.</summary>
    public bool IsClosed => Volatile.Read(ref *Closed) != 0;

    /// <summary>True when a message waits. For the consumer.</summary>
    public bool IsReadable => Volatile.Read(ref Tail) != _head;

    /// <summary>Grows with all that the consumer has released.</summary>
    public ulong Released => Volatile.Read(ref Head);

    /// <summary>True when the consumer has freed something since the last failed <see cref="TryClaim"/>. For the producer.</summary>
    public bool HasFreed => Volatile.Read(ref Head) != _seenHead;

    ref ulong Tail => ref *(ulong*)_base;
    ref ulong Head => ref *(ulong*)(_base + 128);
    uint* ConsumerSleeps => (uint*)(_base + 256);
    uint* ProducerSleeps => (uint*)(_base + 384);
    uint* Closed => (uint*)(_base + 512);

    /// <summary>Room for a message of this length, inside the ring; false when there is none at the moment.</summary>
    /// <param name="flags">Stand beside the message, for whoever uses the ring.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryClaim(int length, out Span<byte> space, uint flags = 0)
    {
        var needed = Padded((uint)length);
        var offset = _tail & _mask;
        var rest = _capacity - offset;
        var total = rest < needed ? needed + rest : needed;
        if (_tail + total - _seenHead > _capacity && !HasRoom(total))
        {
            space = default;
            return false;
        }

        if (total != needed)
        {
            *(uint*)(_messages + offset) = Skip;
            offset = 0;
        }

        _nextTail = _tail + total;
        *(ulong*)(_messages + offset) = (uint)length | (ulong)flags << 32;
        space = new(_messages + offset + 8, length);
        return true;
    }

    bool HasRoom(ulong total)
    {
        _seenHead = Volatile.Read(ref Head);
        return _tail + total - _seenHead <= _capacity;
    }

    /// <summary>Publishes what was claimed, and wakes the consumer if it sleeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit()
    {
        _tail = _nextTail;
        Interlocked.Exchange(ref Tail, _tail);   // publishes, and is the fence before the look at the sleeper
        if (Volatile.Read(ref *ConsumerSleeps) != 0)
            Wake(ConsumerSleeps);
    }

    /// <summary>
    /// Sleeps until the consumer has freed something since the last failed <see cref="TryClaim"/>, the ring was closed, or the time is
    /// up. May return early.
    /// </summary>
    public void SleepUntilWritable(TimeSpan? limit = null)
    {
        Interlocked.Exchange(ref *ProducerSleeps, 1);
        if (Volatile.Read(ref Head) == _seenHead && !IsClosed)
            Futex.Sleep(ProducerSleeps, 1, limit);
        Volatile.Write(ref *ProducerSleeps, 0);
    }

    /// <summary>The oldest message, in place, until <see cref="Release"/>; false when there is none at the moment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPeek(out ReadOnlySpan<byte> message, out uint flags)
    {
        while (true)
        {
            if (_seenTail == _head && (_seenTail = Volatile.Read(ref Tail)) == _head)
            {
                message = default;
                flags = 0;
                return false;
            }

            var offset = _head & _mask;
            var header = *(ulong*)(_messages + offset);
            var length = (uint)header;
            if (length == Skip && offset != 0)   // at the start there is nothing to skip, and would be no end of it
            {
                _head += _capacity - offset;
                continue;
            }

            // The other side may be broken or hostile: never look beyond the ring.
            if (length > _capacity - offset - 8 || _seenTail - _head > _capacity)
                throw new InvalidDataException("The ring is corrupt: a message is longer than what was published.");
            _nextHead = _head + Padded(length);
            flags = (uint)(header >> 32);
            message = new(_messages + offset + 8, (int)length);
            return true;
        }
    }

    /// <summary>Frees the message that <see cref="TryPeek"/> gave, and wakes the producer if it sleeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release()
    {
        _head = _nextHead;
        Interlocked.Exchange(ref Head, _head);
        if (Volatile.Read(ref *ProducerSleeps) != 0)
            Wake(ProducerSleeps);
    }

    /// <summary>Sleeps until there is a message or the ring was closed, or the time is up. May return early.</summary>
    public void SleepUntilReadable(TimeSpan? limit = null)
    {
        if (AnnounceSleep() && !IsClosed)
            Futex.Sleep(ConsumerSleeps, 1, limit);
        Volatile.Write(ref *ConsumerSleeps, 0);
    }

    /// <summary>
    /// While one thread of the consumer sleeps, another one may poll in its stead: until <see cref="AnnounceSleep"/> the producer
    /// wakes nobody, which would cost it a system call and take the processor from the thread that polls.
    /// </summary>
    public void HushWakeUps() => Interlocked.Exchange(ref *ConsumerSleeps, 0);

    /// <summary>Asks the producer for a wake-up with the next message. False when a message is there already.</summary>
    public bool AnnounceSleep()
    {
        Interlocked.Exchange(ref *ConsumerSleeps, 1);
        return !IsReadable;
    }

    /// <summary>Ends the ring for both sides and wakes them. What was committed before can still be read.</summary>
    public void Close()
    {
        Interlocked.Exchange(ref *Closed, 1);
        Wake(ConsumerSleeps);
        Wake(ProducerSleeps);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Wake(uint* sleeper)
    {
        Interlocked.Exchange(ref *sleeper, 0);
        Futex.Wake(sleeper);
    }

    static ulong Padded(uint length) => (((ulong)length + 7) & ~7ul) + 8;
}
