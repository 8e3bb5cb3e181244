using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein;

/// <summary>The writing end of a channel between processes.</summary>
/// <remarks>
/// An item is accepted whole or not at all. Accepted means: its room was taken and it was encoded; if the kernel has no room for all
/// of its packets, the rest goes out as the reader makes room (<see cref="Flush"/>, on the watcher's thread), and the next item waits.
/// </remarks>
[SupportedOSPlatform("linux")]
sealed class EndWriter<T> : ChannelWriter<T>, IChannelEnd, IDisposable
{
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1);

    readonly ChannelEnd _end;
    readonly ItemWriter<T> _items = new();
    Memory<byte> _outbox;      // the accepted item; what stands before _position has been sent
    PacketFlags _flags;
    int _position;
    bool _pending, _announced, _looksAgain;
    bool _completing;
    Exception? _failure;       // that of Complete
    Exception? _ended;         // why nothing can be written any more

    public EndWriter(ChannelEnd end)
    {
        _end = end;
        end.Ready = OnReady;
    }

    public ChannelEnd End => _end;

    public Type ItemType => typeof(T);

    public override bool TryWrite(T item)
    {
        lock (_end.Gate)
            return TryAccept(item);
    }

    public override async ValueTask WriteAsync(T item, CancellationToken cancellationToken = default)
    {
        var accepted = false;
        while (true)
        {
            if (!accepted)
                cancellationToken.ThrowIfCancellationRequested();
            Task change;
            lock (_end.Gate)
            {
                accepted = accepted || TryAccept(item);
                if (IsWritten(accepted))
                    return;
                change = _end.Announce(forData: false);
                try
                {
                    accepted = accepted || TryAccept(item);
                }
                catch
                {
                    _end.Withdraw();
                    throw;
                }

                if (!_pending && accepted)
                {
                    _end.Withdraw();
                    continue;
                }
            }

            await WaitAsync(change, cancellationToken).ConfigureAwait(false);
            if (accepted && cancellationToken.IsCancellationRequested)
                return;   // the item is on its way; only the wait for its last packet ends
        }
    }

    public override async ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task change;
            lock (_end.Gate)
            {
                if (HasRoom())
                    return true;
                if (_completing)
                    return false;
                ThrowIfEnded();
                change = _end.Announce(forData: false);
                if (HasRoom())
                {
                    _end.Withdraw();
                    return true;
                }
            }

            await WaitAsync(change, cancellationToken).ConfigureAwait(false);
        }
    }

    public override bool TryComplete(Exception? error = null)
    {
        lock (_end.Gate)
        {
            if (_completing || _ended is not null)
                return false;
            _completing = true;
            _failure = error;
            if (_pending)
                Flush();
            else
                Finish();
            return true;
        }
    }

    /// <summary>Waits until what was accepted has gone out, and closes the end. Without completion before, the reader sees a fault.</summary>
    public async ValueTask CloseAsync(TimeSpan limit)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (limit - TimeProvider.System.GetElapsedTime(started) is var left && left > TimeSpan.Zero)
        {
            Task change;
            lock (_end.Gate)
            {
                if (_end.IsClosed || !_completing || Flush() || _ended is not null)   // to send may end it
                    break;
                change = _end.Announce(forData: false);
            }

            await WaitAsync(change, default, left).ConfigureAwait(false);
        }

        Dispose();
    }

    public void Dispose()
    {
        lock (_end.Gate)
            Stop(new ObjectDisposedException(nameof(ChannelWriter<>), "This end of the channel was disposed."));
    }

    public void HandOver()
    {
        lock (_end.Gate)
            Stop(new InvalidOperationException("This end of the channel was sent to another process and belongs to it now. For a further writer call AddWriter before the first end is sent."));
    }

    public string? WhyItMustStay()
    {
        if (_completing || _ended is not null)
            return "this end of the channel is closed" + (_ended is null ? "" : $" ({_ended.Message})");
        return _pending ? "an item is still on its way out of this end; await WriteAsync before it is sent" : null;
    }

    bool HasRoom()
    {
        if (!IsFree())
            return false;
        _end.EndTurn();
        return !_end.HasBackPressure || Volatile.Read(ref _end.Page.InFlight) < _end.Page.Capacity;
    }

    /// <summary>True when nothing but the channel's capacity keeps an item back; it is then this writer's turn.</summary>
    bool IsFree() => _ended is null && !_completing && Flush() && !BreakIfGone() && _end.TryTakeTurn();

    bool TryAccept(T item)
    {
        if (!IsFree())
            return false;
        var page = _end.Page;
        if (_end.HasBackPressure && !page.TryTakeRoom())
        {
            _end.EndTurn();
            return false;
        }

        try
        {
            _outbox = _items.Write(item, page.SharedByReaders || !_end.HasBackPressure, out _flags);
            if (!_end.HasBackPressure && _outbox.Length > _end.Port.MaxPacket)
                throw new InvalidOperationException($"An item of {_outbox.Length - PacketHeader.Size} bytes is longer than a datagram of this channel may be ({_end.Port.MaxPacket - PacketHeader.Size}). Choose another kind of channel, or send it in parts.");
        }
        catch
        {
            if (_end.HasBackPressure)
                page.GiveRoom();
            _end.EndTurn();
            throw;
        }

        page.Used = 1;
        _end.Written++;
        _position = PacketHeader.Size;
        _pending = true;
        Flush();
        return _ended is null;
    }

    /// <summary>Sends what was accepted, as far as there is room; after the last of it a completed writer is done. True when nothing is left to send.</summary>
    bool Flush()
    {
        if (!_pending)
            return true;
        var port = _end.Port;
        var moved = false;
        while (_pending)
        {
            var length = Math.Min(_outbox.Length - _position, port.MaxPacket - PacketHeader.Size);
            var packet = _outbox.Span.Slice(_position - PacketHeader.Size, length + PacketHeader.Size);
            var rest = _outbox.Length - _position - length;
            MemoryMarshal.Write(packet, new PacketHeader((ushort)_end.Number, _flags, (uint)rest, _end.Written));   // over what was sent already
            PortResult result;
            try
            {
                result = port.TryWrite(packet);
            }
            catch (IOException error)   // on whatever thread this is: whoever uses the end is told
            {
                Stop(new ChannelBrokenException($"An item could not be written to this {_end.Kind} channel, and nothing after it can: {error.Message}. Make a new channel once that is mended.", error));
                return false;
            }

            if (result == PortResult.Over)
            {
                Stop(Gone());
                return false;
            }

            if (result == PortResult.Later)
            {
                if (!_announced)
                {
                    _announced = true;
                    _ = _end.Announce(forData: true);
                    continue;   // the room may have come in between
                }

                _end.Arm();
                if (port.IsContended && !_looksAgain)
                    _ = LookAgainAsync();
                break;
            }

            moved = true;
            _position += length;
            _flags &= ~PacketFlags.First;
            _pending = rest > 0;
        }

        if (moved && port.WaitDescriptors.IsEmpty)
            _end.RingIfAsleep();
        if (_pending)
            return false;
        if (_announced)
        {
            _announced = false;
            _end.Withdraw();
        }

        _end.EndTurn();
        if (_completing)
            Finish();   // here, since whoever comes next may send the last packet: the watcher, a timer, or who closes the end
        return true;
    }

    /// <summary>It was only the other side's turn at the port: nobody will call.</summary>
    async Task LookAgainAsync()
    {
        _looksAgain = true;
        await Task.Delay(Soon).ConfigureAwait(false);
        lock (_end.Gate)
            _looksAgain = false;
        _end.OnReady();
    }

    void OnReady()
    {
        if (_ended is not null)
            return;
        var isOut = Flush();
        if (_ended is null && (isOut || _end.PeerGone))   // a queue or a ring that nobody empties any more only looks full
            BreakIfGone();
    }

    bool BreakIfGone()
    {
        if (!_end.PeerGone && !_end.Page.Failed)
            return false;
        Stop(_end.Page.Failed ? new ChannelClosedException("Another writer completed the channel with an error.", _end.Page.Error) : Gone());
        return true;
    }

    Exception Gone()
    {
        var page = _end.Page;
        return page.ReadersClosed >= page.ReadersOpened
            ? new ChannelClosedException("Nobody reads this channel any more: its reader was disposed.")
            : new ChannelBrokenException($"The reader of this {_end.Kind} channel (process {page.ReaderProcess}) was killed or is gone. What it had not read is lost; make a new channel for a new reader.");
    }

    void Finish()
    {
        var page = _end.Page;
        if (_failure is not null)
            page.Fail(_failure, _end.Number);
        Interlocked.Increment(ref page.WritersDone);
        _end.Ring();
        Stop(new ChannelClosedException("The channel was completed."));
    }

    void Stop(Exception reason)
    {
        if (_ended is not null)
            return;
        _ended = reason;
        _pending = false;
        if (_announced)
        {
            _announced = false;
            _end.Withdraw();
        }

        _end.EndTurn();
        _end.Dispose();
    }

    void ThrowIfEnded(bool evenWhileCompleting = true)
    {
        if (_ended is ChannelClosedException closed)
            throw closed is ChannelBrokenException broken ? new ChannelBrokenException(broken.Message, broken.InnerException) : new ChannelClosedException(closed.Message, closed.InnerException);
        if (_ended is ObjectDisposedException)
            throw new ObjectDisposedException(null, _ended.Message);
        if (_ended is not null)
            throw new InvalidOperationException(_ended.Message);
        if (_completing && evenWhileCompleting)
            throw new ChannelClosedException("The channel was completed.");
    }

    /// <summary>True when the item has gone out. Throws when it never will.</summary>
    bool IsWritten(bool accepted)
    {
        if (accepted && !_pending && _ended is not ChannelBrokenException)
            return true;
        ThrowIfEnded(evenWhileCompleting: !accepted);
        return false;
    }

    async ValueTask WaitAsync(Task change, CancellationToken cancellationToken, TimeSpan? most = null)
    {
        // When it was only another writer's turn nobody will call: look again soon.
        var limit = _end.LooksAgain ? Soon : most ?? Timeout.InfiniteTimeSpan;
        await change.WaitAsync(limit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_end.Gate)
            _end.Withdraw();
    }
}
