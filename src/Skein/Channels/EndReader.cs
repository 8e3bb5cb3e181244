using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein;

/// <summary>The reading end of a channel between processes. Dispose it to stop before the end: the writer is told.</summary>
[SupportedOSPlatform("linux")]
sealed class EndReader<T> : ChannelReader<T>, IChannelEnd, IDisposable
{
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1), RoomIsFree = TimeSpan.FromMilliseconds(100);

    readonly ChannelEnd _end;
    readonly ItemReader<T> _items = new();
    readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Dictionary<ushort, ulong> _numbers = [];   // the last item of each writer, where datagrams may overtake each other
    readonly byte[] _packet;
    byte[]? _partial;      // an item of several packets
    bool _goesOn;          // the rest of it is taken as it comes, though nobody reads here: other readers wait for their turn
    int _filled;
    ushort _writer;
    T? _ready;             // the next item, made
    bool _hasReady, _over;
    Exception? _error;

    public EndReader(ChannelEnd end)
    {
        _end = end;
        _packet = new byte[end.Port.MaxPacket];
        end.Ready = OnReady;
    }

    public ChannelEnd End => _end;

    public Type ItemType => typeof(T);

    public override Task Completion => _completion.Task;

    public override bool CanCount => _end.HasBackPressure;

    public override int Count
    {
        get
        {
            lock (_end.Gate)
                return _end.IsClosed ? 0 : Volatile.Read(ref _end.Page.InFlight);
        }
    }

    public override bool CanPeek => true;

    public override bool TryPeek([MaybeNullWhen(false)] out T item)
    {
        lock (_end.Gate)
        {
            item = TryFill() ? _ready : default;
            return _hasReady;
        }
    }

    public override bool TryRead([MaybeNullWhen(false)] out T item)
    {
        lock (_end.Gate)
        {
            if (!TryFill())
            {
                item = default;
                return false;
            }

            item = _ready!;
            _ready = default;
            _hasReady = false;
            if (_over)
            {
                Complete();
            }
            else if (_end.HasBackPressure)
            {
                _end.Page.GiveRoom();
                _end.RingIfAsleep();
                if (_end.PeerGone && MayLook())
                    TryFill();   // so that Completion is complete after the last item
            }

            return true;
        }
    }

    public override async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task change;
            var limit = Timeout.InfiniteTimeSpan;
            var inFlight = 0;
            lock (_end.Gate)
            {
                if (TryFill() || (!_over && _end.Port.Spin() && TryFill()))
                    return true;
                if (_over)
                    return IsEnded();
                change = _end.Announce(forData: true);
                if (TryFill() || _over)
                {
                    _end.Withdraw();
                    continue;
                }

                var page = _end.Page;
                inFlight = page.InFlight;
                if (_end.LooksAgain || _end.Port.IsContended)
                    limit = Soon;
                else if (inFlight > 0 && (page.SharedByWriters || page.SharedByReaders))
                    limit = RoomIsFree;
            }

            await change.WaitAsync(limit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_end.Gate)
            {
                _end.Withdraw();
                if (limit == RoomIsFree && !change.IsCompleted)
                    FreeRoomOfTheDead(inFlight);
            }
        }
    }

    public override async ValueTask<T> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryRead(out var item))
                return item;
            bool more;
            try
            {
                more = await WaitToReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is RemoteChannelException or InvalidDataException)
            {
                throw new ChannelClosedException("The channel was completed with an error.", error);
            }

            if (!more)
                throw new ChannelClosedException("The channel was completed, and everything in it has been read.");
        }
    }

    public void Dispose() => Close(new ObjectDisposedException(nameof(ChannelReader<>), "This end of the channel was disposed."), counts: true);

    public void HandOver() => Close(new InvalidOperationException("This end of the channel was sent to another process and belongs to it now. For a further reader call AddReader before the first end is sent."), counts: false);

    public string? WhyItMustStay()
    {
        if (_over)
            return "this end of the channel is closed" + (_error is null ? "" : $" ({_error.Message})");
        return _hasReady || _partial is not null || _items.HasSession
            ? "items were read from this end already, and those to come may refer to them; send it before its first use"
            : null;
    }

    /// <summary>Has the next item made, if there is one. Notices the end.</summary>
    bool TryFill()
    {
        if (_hasReady)
            return true;
        if (_over || !_end.TryTakeTurn())
            return false;
        var moved = false;
        try
        {
            while (true)
            {
                var last = _end.PeerGone || _end.Page.Failed;   // before the look: what was written before is then seen
                switch (_end.Port.TryRead(_packet, out var length))
                {
                    case PortResult.Moved:
                        moved = true;
                        if (Accept(_packet.AsSpan(0, length)))
                            return true;
                        break;
                    case PortResult.Over:
                    case PortResult.Later when last && !_end.Port.IsContended && IsLast():
                        Finish();
                        return false;
                    case PortResult.Later when _partial is not null && !_goesOn && _end.Page.SharedByReaders:
                        _goesOn = true;
                        _ = _end.Announce(forData: true);
                        break;   // it may have come in between
                    default:
                        return false;
                }
            }
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            _error = error;
            Finish();
            return false;
        }
        finally
        {
            if (!_end.IsClosed)
            {
                if (moved)
                    _end.RingIfAsleep();
                if (_partial is null)
                    EndTurn();
                else if (_goesOn)
                    _end.Arm();
            }
        }
    }

    void EndTurn()
    {
        _end.EndTurn();
        if (!_goesOn)
            return;
        _goesOn = false;
        _end.Withdraw();
    }

    /// <summary>Nothing is there, and the writers have gone or failed: is that the end, or can something still come?</summary>
    bool IsLast() => _end.Page.Failed ? _end.Port.HasAllOf(_end.Page.FailedWriter) : !_end.Port.SeesEnd;

    /// <summary>Takes a packet; true when it completes an item.</summary>
    bool Accept(Span<byte> packet)
    {
        if (packet.Length < PacketHeader.Size)
            throw new InvalidDataException($"The channel is corrupt: a packet of {packet.Length} bytes.");
        var header = MemoryMarshal.Read<PacketHeader>(packet);
        var body = packet[PacketHeader.Size..];
        if (!_end.HasBackPressure && _numbers.TryGetValue(header.Writer, out var number) && header.Number <= number)
            return false;   // overtaken by a later one, or come twice
        if (!_end.HasBackPressure)
            _numbers[header.Writer] = header.Number;
        if ((header.Flags & PacketFlags.First) != 0)
        {
            // A part that was not continued is that of a writer which was killed.
            _partial = null;
            if (header.Rest == 0)
                return Make(_packet, PacketHeader.Size, body.Length, header);
            var length = body.Length + (long)header.Rest;
            if (length > WireLimits.MaxMessage)
                throw new InvalidDataException($"The channel is corrupt: an item of {length} bytes was announced; the limit is {WireLimits.MaxMessage}.");
            _partial = GC.AllocateUninitializedArray<byte>((int)length);
            _filled = 0;
            _writer = header.Writer;
        }

        if (_partial is null || _writer != header.Writer || _filled + body.Length + header.Rest != _partial.Length)
            return false;   // the rest of an item whose reader or writer was killed
        body.CopyTo(_partial.AsSpan(_filled));
        _filled += body.Length;
        if (header.Rest > 0)
            return false;
        var item = _partial;
        _partial = null;
        return Make(item, 0, item.Length, header);
    }

    bool Make(byte[] bytes, int offset, int length, PacketHeader header)
    {
        try
        {
            _ready = _items.Read(bytes, offset, length, header);
        }
        catch (Exception error) when (error is not InvalidDataException)
        {
            throw new InvalidDataException($"An item of this {_end.Kind} channel could not be made here: {error.Message}", error);
        }

        return _hasReady = true;
    }

    void OnReady()
    {
        // The last writer has gone: whoever awaits only Completion shall see it. Not here: making an item may take long.
        if (!_over && (_goesOn || (_end.PeerGone && MayLook())))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static reader =>
            {
                lock (reader._end.Gate)
                {
                    if (reader.TryFill())
                        reader._end.Pulse();   // somebody may have looked a moment too early, and waits again
                }
            }, this, preferLocal: false);
        }
    }

    // What is made here is nobody else's. So where there are other readers, who may be reading, this one looks unasked only for the end.
    bool MayLook() => !_end.Page.SharedByReaders || (_end.HasBackPressure && Volatile.Read(ref _end.Page.InFlight) == 0);

    /// <summary>
    /// With several writers or readers, one of them may have been killed between taking an item's room and sending all of it, or
    /// between taking an item and giving back its room. A reader that finds nothing for a while declares such room free.
    /// </summary>
    void FreeRoomOfTheDead(int before)
    {
        if (_over || _hasReady || before <= 0 || _end.LooksAgain)
            return;
        var page = _end.Page;
        if (!page.SharedByWriters)
        {
            if (_partial is null && Interlocked.CompareExchange(ref page.InFlight, 0, before) == before)
                _end.RingIfAsleep();
            return;
        }

        // A writer has the turn from taking room until all was sent: while we have it, what is not there never comes.
        if (!_end.TryTakeWritersTurn())
            return;
        try
        {
            if (TryFill() || _over || _end.Port.IsMidItem)
                return;
            _partial = null;
            EndTurn();
            Volatile.Write(ref page.InFlight, 0);
        }
        finally
        {
            _end.EndWritersTurn();
        }

        _end.RingIfAsleep();
    }

    void Finish()
    {
        var page = _end.Page;
        if (_error is null && page.Failed)
            _error = page.Error;
        else if (_error is null && page.WritersDone < page.WritersOpened)
            _error = new ChannelBrokenException(Broken(page));
        _over = true;
        _partial = null;
        EndTurn();
        Interlocked.Increment(ref page.ReadersClosed);
        _end.Dispose();
        Complete();
    }

    string Broken(ControlPage page) => page.SharedByWriters
        ? $"{page.WritersOpened - page.WritersDone} of the {page.WritersOpened} writers of this {_end.Kind} channel were killed or left without completing it. What was written whole was delivered; make a new channel for what is missing."
        : $"The writer of this {_end.Kind} channel (process {page.WriterProcess}) was killed or left without completing it. What it had written whole was delivered; make a new channel for what is missing.";

    void Complete()
    {
        if (_hasReady)
            return;
        if (_error is null)
            _completion.TrySetResult();
        else
            _completion.TrySetException(_error);
    }

    bool IsEnded() => _error switch
    {
        null => false,
        ChannelBrokenException broken => throw new ChannelBrokenException(broken.Message),
        RemoteChannelException remote => throw new RemoteChannelException(remote.TypeName, remote.Message),
        ObjectDisposedException disposed => throw new ObjectDisposedException(null, disposed.Message),
        InvalidOperationException handedOver => throw new InvalidOperationException(handedOver.Message),
        var error => throw new InvalidDataException(error.Message, error),
    };

    void Close(Exception reason, bool counts)
    {
        lock (_end.Gate)
        {
            if (_over)
                return;
            _over = true;
            _hasReady = false;
            _error = reason;
            if (counts)
                Interlocked.Increment(ref _end.Page.ReadersClosed);
            EndTurn();
            _end.Dispose();
            _completion.TrySetResult();
        }
    }
}
