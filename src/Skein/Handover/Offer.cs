namespace Skein;

/// <summary>A hand-over at the node that a process leaves.</summary>
enum OfferState
{
    /// <summary>MOVE was said. It can still stay, and whoever is asked later says so.</summary>
    Offered,

    /// <summary>The other has it, and our store is told that it is the other's. It runs nowhere.</summary>
    Deciding,

    /// <summary>GO was said, and is said again to whoever asks. It is the other's, whether or not that has heard of it.</summary>
    Left,

    Over,
}

enum OfferEvent
{
    /// <summary>The other has it.</summary>
    Ready,

    /// <summary>The other does not take it.</summary>
    Refused,

    /// <summary>The other has not answered for too long.</summary>
    Late,

    /// <summary>The connection is broken.</summary>
    Broken,

    /// <summary>There is one again.</summary>
    Reached,

    Stored,
    NotStored,

    /// <summary>It runs there.</summary>
    Done,

    /// <summary>The other node has ended, and with it all that it had.</summary>
    Ended,

    /// <summary>The other node has ended, but finds this process in its store when it starts again.</summary>
    Interrupted,
}

/// <summary>One hand-over, at the node that the process leaves: it alone decides, and before it says so to anybody.</summary>
sealed class Offer(Handovers owner, long number, string peer, Leaving process)
{
    // What is not in the table changes nothing.
    static readonly Dictionary<(OfferState, OfferEvent), (OfferState Next, Action<Offer, string> Act)> Table = new()
    {
        [(OfferState.Offered, OfferEvent.Ready)] = (OfferState.Deciding, static (offer, _) => offer.Decide()),
        [(OfferState.Offered, OfferEvent.Refused)] = (OfferState.Over, static (offer, why) => offer.Stay(why)),
        [(OfferState.Offered, OfferEvent.Late)] = (OfferState.Over, static (offer, why) => offer.Abort(why)),
        [(OfferState.Offered, OfferEvent.Broken)] = (OfferState.Over, static (offer, why) => offer.Abort(why)),
        [(OfferState.Offered, OfferEvent.Ended)] = (OfferState.Over, static (offer, why) => offer.Stay(why)),
        [(OfferState.Deciding, OfferEvent.Stored)] = (OfferState.Left, static (offer, _) => offer.Leave()),
        [(OfferState.Deciding, OfferEvent.NotStored)] = (OfferState.Over, static (offer, why) => offer.Abort(why)),
        [(OfferState.Left, OfferEvent.Ready)] = (OfferState.Left, static (offer, _) => offer.SayGo()),
        [(OfferState.Left, OfferEvent.Reached)] = (OfferState.Left, static (offer, _) => offer.SayGo()),
        [(OfferState.Left, OfferEvent.Done)] = (OfferState.Over, static (offer, _) => offer.Arrive()),
        [(OfferState.Left, OfferEvent.Ended)] = (OfferState.Over, static (offer, why) => offer.Lose(why)),
    };

    OfferState _state;
    ITimer? _limit;
    bool _isStored;

    public long Number => number;

    public string Peer => peer;

    public string Id => process.Id;

    /// <summary>Whether nobody here knows that it runs there.</summary>
    public bool IsInDoubt => _state == OfferState.Left;

    public void Begin(TimeProvider time, TimeSpan limit)
    {
        lock (this)
            _limit = time.CreateTimer(static offer => ((Offer)offer!).Raise(OfferEvent.Late, "it does not answer"), this, limit, Timeout.InfiniteTimeSpan);
        var move = PeerMessage.Begin(PeerMessageKind.Move);
        move.WriteNumber((ulong)number);
        move.WriteText(process.Id);
        move.WriteText(process.StoredIn);
        move.WriteBytes(process.Image);
        owner.Send(peer, move.End());
    }

    /// <summary>After a restart: it was given away before.</summary>
    public void GoOn() => (_state, _isStored) = (OfferState.Left, true);

    public void TakeReady(bool isStoredThere)
    {
        lock (this)
        {
            if (_state == OfferState.Offered)
                _isStored = isStoredThere;
            Raise(OfferEvent.Ready);
        }
    }

    /// <summary>The other node has ended.</summary>
    public void TakeEnd(string why)
    {
        lock (this)
            Raise(_isStored ? OfferEvent.Interrupted : OfferEvent.Ended, why);
    }

    public void Raise(OfferEvent happened, string why = "")
    {
        lock (this)
        {
            if (!Table.TryGetValue((_state, happened), out var row))
                return;
            _state = row.Next;
            _limit?.Dispose();
            _limit = null;
            row.Act(this, why);
        }
    }

    void Decide()
    {
        if (_isStored)
            _ = StoreAsync(HandoverRecord.OfGone(peer, number));
        else
            Raise(OfferEvent.Stored);
    }

    async Task StoreAsync(byte[] record)
    {
        try
        {
            await process.StoreAsync(record).ConfigureAwait(false);
        }
        catch (Exception e)   // of whatever kind: the store is not ours
        {
            Raise(OfferEvent.NotStored, $"it cannot be stored that it is there: {e.Message}");
            return;
        }
        Raise(OfferEvent.Stored);
    }

    void Stay(string why)
    {
        owner.Forget(this);
        process.Stay(why);
    }

    void Abort(string why)
    {
        owner.Send(peer, PeerMessage.Of(PeerMessageKind.Abort, number));
        Stay(why);
    }

    void Leave() => process.Leave(peer, SayGo);

    void SayGo() => owner.Send(peer, PeerMessage.Of(PeerMessageKind.Go, number));

    void Arrive()
    {
        owner.Forget(this);
        if (_isStored)
            _ = process.StoreAsync(null);
        process.Arrive();
    }

    void Lose(string why)
    {
        owner.Forget(this);
        process.Lose(why);
    }
}
