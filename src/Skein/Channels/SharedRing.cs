using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein;

/// <summary>
/// Messages without a copy: bytes are written into memory that two processes share, and read where they stand. One writer, one
/// reader; each end can be an argument of a process. A <see cref="ProcessChannel"/> carries any items, this one only spans of bytes.
/// <code>
/// using var ring = SharedRing.Create(capacity: 1 &lt;&lt; 20);
/// // writer                                      // reader
/// Fill(ring.Writer.Claim(length));               while (ring.Reader.Peek(out var message))
/// ring.Writer.Commit();                          {
/// ring.Writer.Complete();                            Use(message);
///                                                    ring.Reader.Release();
///                                                }
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SharedRing : IDisposable
{
    SharedRing(RingReader reader, RingWriter writer)
    {
        Reader = reader;
        Writer = writer;
    }

    /// <summary>The reading end; for one thread at a time.</summary>
    public RingReader Reader { get; }

    /// <summary>The writing end; for one thread at a time.</summary>
    public RingWriter Writer { get; }

    /// <summary>A new ring.</summary>
    /// <param name="capacity">In bytes, a power of two of at least 4096: about 64 KB for the shortest round trips, megabytes for throughput. A message may take a quarter.</param>
    public static SharedRing Create(int capacity = 1 << 20)
    {
        var (reader, writer) = EndFactory.Create(ChannelKind.SharedMemory, int.MaxValue, new(0, 0), capacity);
        return new(new(reader), new(writer));
    }

    /// <summary>Closes the ends that are still here.</summary>
    public void Dispose()
    {
        Writer.Dispose();
        Reader.Dispose();
    }
}

/// <summary>The writing end of a <see cref="SharedRing"/>.</summary>
[SupportedOSPlatform("linux")]
public sealed class RingWriter : IDisposable, IChannelEnd
{
    static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);   // how long a cancellation may take

    readonly ChannelEnd _end;
    Ring? _ring;
    RingSpin _spin;
    uint _commits;

    internal RingWriter(ChannelEnd end)
    {
        _end = end;
        _ring = ((RingPort)end.Port).Ring;
        end.Ready = () => CloseIfGone(end, _ring);
    }

    /// <summary>The longest message, in bytes.</summary>
    public int MaxMessage => Ring.MaxMessage;

    ChannelEnd IChannelEnd.End => _end;

    Type IChannelEnd.ItemType => typeof(byte);

    Ring Ring => _ring ?? throw new ObjectDisposedException(nameof(RingWriter), "This end of the ring was disposed, or sent to another process.");

    /// <summary>Room for a message, inside the ring, until <see cref="Commit"/>; false when there is none at the moment. Never waits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryClaim(int length, out Span<byte> space)
    {
        var ring = Ring;
        if ((uint)length > (uint)ring.MaxMessage)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"A message of this ring has 0 to {ring.MaxMessage} bytes.");
        return ring.TryClaim(length, out space);
    }

    /// <summary>Room for a message, as soon as there is some: polls for a moment if that pays, then sleeps.</summary>
    /// <exception cref="ChannelClosedException">The reader was disposed, or (<see cref="ChannelBrokenException"/>) killed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Claim(int length, CancellationToken cancellationToken = default) =>
        TryClaim(length, out var space) && !_ring!.IsClosed ? space : ClaimSlowly(length, cancellationToken);

    [MethodImpl(MethodImplOptions.NoInlining)]
    Span<byte> ClaimSlowly(int length, CancellationToken cancellationToken)
    {
        var ring = Ring;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ring.IsClosed)
                throw WhyClosed();
            if (ring.TryClaim(length, out var space))
                return space;
            if (!_spin.SpinUntilWritable(ring))
                ring.SleepUntilWritable(cancellationToken.CanBeCanceled ? Glance : null);
        }
    }

    /// <summary>Publishes what was claimed, and wakes the reader if it sleeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit()
    {
        if ((++_commits & 63) == 1)
            Ring.PublishProducerCpu();
        Ring.Commit();
    }

    /// <summary>There will be no more: the reader reads what is there, and is complete.</summary>
    public void Complete()
    {
        lock (_end.Gate)
        {
            if (_end.IsClosed)
                return;
            Interlocked.Increment(ref _end.Page.WritersDone);
            CloseHere();
        }
    }

    /// <summary>Closes the end. Without <see cref="Complete"/> before, the reader sees a fault.</summary>
    public void Dispose()
    {
        lock (_end.Gate)
        {
            if (!_end.IsClosed)
                CloseHere();
        }
    }

    string? IChannelEnd.WhyItMustStay() => _ring is null ? "this end of the ring is closed" : null;

    void IChannelEnd.HandOver()
    {
        lock (_end.Gate)
        {
            _ring = null;
            _end.Dispose();
        }
    }

    internal static void CloseIfGone(ChannelEnd end, Ring? ring)
    {
        if (end.PeerGone)
            ring?.Close();   // wakes whoever sleeps here on a futex, which knows no end of file
    }

    void CloseHere()
    {
        _ring?.Close();
        _ring = null;
        _end.Dispose();
    }

    ChannelClosedException WhyClosed()
    {
        lock (_end.Gate)
        {
            return _end.IsClosed || _end.Page.ReadersClosed > 0
                ? new ChannelClosedException("Nobody reads this ring any more: its reader was disposed.")
                : new ChannelBrokenException($"The reader of this ring (process {_end.Page.ReaderProcess}) was killed or is gone. Make a new ring for a new reader.");
        }
    }
}

/// <summary>The reading end of a <see cref="SharedRing"/>.</summary>
[SupportedOSPlatform("linux")]
public sealed class RingReader : IDisposable, IChannelEnd
{
    static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    readonly ChannelEnd _end;
    Ring? _ring;
    RingSpin _spin;

    internal RingReader(ChannelEnd end)
    {
        _end = end;
        _ring = ((RingPort)end.Port).Ring;
        end.Ready = () => RingWriter.CloseIfGone(end, _ring);
    }

    ChannelEnd IChannelEnd.End => _end;

    Type IChannelEnd.ItemType => typeof(byte);

    Ring Ring => _ring ?? throw new ObjectDisposedException(nameof(RingReader), "This end of the ring was disposed, or sent to another process.");

    /// <summary>The oldest message, where it stands, until <see cref="Release"/>; false when there is none at the moment. Never waits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPeek(out ReadOnlySpan<byte> message) => Ring.TryPeek(out message, out _);

    /// <summary>The oldest message, as soon as there is one: polls for a moment if that pays, then sleeps. False at the end.</summary>
    /// <exception cref="ChannelBrokenException">The writer was killed or left; what it had committed has been read.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Peek(out ReadOnlySpan<byte> message, CancellationToken cancellationToken = default) =>
        TryPeek(out message) || PeekSlowly(out message, cancellationToken);

    [MethodImpl(MethodImplOptions.NoInlining)]
    bool PeekSlowly(out ReadOnlySpan<byte> message, CancellationToken cancellationToken)
    {
        var ring = Ring;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var closed = ring.IsClosed;   // before the look: what was committed before is then seen
            if (ring.TryPeek(out message, out _))
                return true;
            if (closed)
                return ThrowIfBroken();
            if (!_spin.SpinUntilReadable(ring))
                ring.SleepUntilReadable(cancellationToken.CanBeCanceled ? Glance : null);
        }
    }

    /// <summary>Frees the message that was peeked, and wakes the writer if it sleeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release() => Ring.Release();

    /// <summary>Closes the end: the writer is told with its next claim.</summary>
    public void Dispose()
    {
        lock (_end.Gate)
        {
            if (_end.IsClosed)
                return;
            Interlocked.Increment(ref _end.Page.ReadersClosed);
            _ring?.Close();
            _ring = null;
            _end.Dispose();
        }
    }

    string? IChannelEnd.WhyItMustStay() => _ring is null ? "this end of the ring is closed" : null;

    void IChannelEnd.HandOver()
    {
        lock (_end.Gate)
        {
            _ring = null;
            _end.Dispose();
        }
    }

    bool ThrowIfBroken()
    {
        lock (_end.Gate)
        {
            return _end.IsClosed || _end.Page.WritersDone > 0
                ? false
                : throw new ChannelBrokenException($"The writer of this ring (process {_end.Page.WriterProcess}) was killed or left without completing it. What it had committed was delivered.");
        }
    }
}
