namespace Skein;

/// <summary>A hand-over at the node that a process comes to.</summary>
enum AcceptanceState
{
    /// <summary>MOVE was heard; its objects are made.</summary>
    Making,

    /// <summary>Our store is told of it.</summary>
    Storing,

    /// <summary>READY was said. It is not ours before the other says GO: until then nobody knows where it will run, and it runs nowhere.</summary>
    Ready,

    /// <summary>It is ours; our store is told so.</summary>
    Taking,

    Over,
}

enum AcceptanceEvent
{
    /// <summary>Its objects have been made.</summary>
    Made,

    /// <summary>They cannot be, here.</summary>
    Unfit,

    Stored,
    NotStored,

    /// <summary>The other says so.</summary>
    Go,

    /// <summary>The other keeps it.</summary>
    Abort,

    /// <summary>There is a connection again: what was said over the last one may have been said to a node that has ended.</summary>
    Reached,

    /// <summary>The other node has ended, and with it whatever it knew of this.</summary>
    Ended,
}

/// <summary>One hand-over, at the node that the process comes to: it decides nothing, and asks until it is told.</summary>
sealed class Acceptance(Handovers owner, string peer, long number, string process)
{
    /// <summary>A store that is full may have room later.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // What is not in the table changes nothing.
    static readonly Dictionary<(AcceptanceState, AcceptanceEvent), (AcceptanceState Next, Action<Acceptance, string> Act)> Table = new()
    {
        [(AcceptanceState.Making, AcceptanceEvent.Made)] = (AcceptanceState.Storing, static (one, _) => one.Store()),
        [(AcceptanceState.Making, AcceptanceEvent.Unfit)] = (AcceptanceState.Over, static (one, why) => one.Refuse(why)),
        [(AcceptanceState.Making, AcceptanceEvent.Abort)] = (AcceptanceState.Over, static (one, _) => one.Drop()),
        [(AcceptanceState.Making, AcceptanceEvent.Ended)] = (AcceptanceState.Over, static (one, _) => one.Drop()),
        [(AcceptanceState.Storing, AcceptanceEvent.Stored)] = (AcceptanceState.Ready, static (one, _) => one.SayReady()),
        [(AcceptanceState.Storing, AcceptanceEvent.NotStored)] = (AcceptanceState.Over, static (one, why) => one.Refuse(why)),
        [(AcceptanceState.Storing, AcceptanceEvent.Abort)] = (AcceptanceState.Over, static (one, _) => one.Drop()),
        [(AcceptanceState.Ready, AcceptanceEvent.Go)] = (AcceptanceState.Taking, static (one, _) => one.Settle()),
        [(AcceptanceState.Ready, AcceptanceEvent.Abort)] = (AcceptanceState.Over, static (one, _) => one.Drop()),
        [(AcceptanceState.Ready, AcceptanceEvent.Reached)] = (AcceptanceState.Ready, static (one, _) => one.SayReady()),
        [(AcceptanceState.Ready, AcceptanceEvent.Ended)] = (AcceptanceState.Over, static (one, _) => one.Drop()),
        [(AcceptanceState.Taking, AcceptanceEvent.Stored)] = (AcceptanceState.Over, static (one, _) => one.Begin()),
        [(AcceptanceState.Taking, AcceptanceEvent.NotStored)] = (AcceptanceState.Taking, static (one, _) => one.KeepLater()),
    };

    AcceptanceState _state;
    Coming? _process;
    byte[] _image = [];
    ITimer? _pause;

    public string Peer => peer;

    public long Number => number;

    public string Id => process;

    bool IsStored => _process is { IsToBeStored: true };

    public void Make(Coming made, byte[] image)
    {
        lock (this)
        {
            if (_state == AcceptanceState.Over)
            {
                made.Drop();   // the other has kept it meanwhile
                return;
            }
            (_process, _image) = (made, image);
            Raise(AcceptanceEvent.Made);
        }
    }

    /// <summary>After a restart: it was on its way before.</summary>
    public void GoOn(Coming made, byte[] image)
    {
        (_process, _image) = (made, image);
        _state = AcceptanceState.Ready;
    }

    /// <summary>The other node has ended; one that the other's store has is asked for when the other is there again.</summary>
    public void TakeEnd()
    {
        lock (this)
        {
            if (!IsStored)
                Raise(AcceptanceEvent.Ended);
        }
    }

    public void Raise(AcceptanceEvent happened, string why = "")
    {
        lock (this)
        {
            if (!Table.TryGetValue((_state, happened), out var row))
                return;
            _state = row.Next;
            row.Act(this, why);
        }
    }

    void Store()
    {
        if (IsStored)
            _ = StoreAsync(() => HandoverRecord.OfExpected(peer, number, _image));
        else
            Raise(AcceptanceEvent.Stored);
    }

    void Settle()
    {
        _process!.Settle();
        Keep();
    }

    void Keep()
    {
        if (IsStored)
            _ = StoreAsync(() => _image);
        else
            Raise(AcceptanceEvent.Stored);
    }

    void KeepLater() => _pause = owner.Time.CreateTimer(static one => ((Acceptance)one!).KeepAgain(), this, Pause, Timeout.InfiniteTimeSpan);

    void KeepAgain()
    {
        lock (this)
        {
            _pause?.Dispose();
            Keep();
        }
    }

    async Task StoreAsync(Func<byte[]> record)
    {
        try
        {
            await _process!.StoreAsync(record()).ConfigureAwait(false);
        }
        catch (Exception e)   // of whatever kind: the store is not ours, and there may be no memory for the record
        {
            Raise(AcceptanceEvent.NotStored, $"it cannot be stored there: {e.Message}");
            return;
        }
        Raise(AcceptanceEvent.Stored);
    }

    void SayReady()
    {
        var ready = PeerMessage.Begin(PeerMessageKind.Ready);
        ready.WriteNumber((ulong)number);
        ready.WriteByte(IsStored ? (byte)1 : (byte)0);
        owner.Send(peer, ready.End());
    }

    void Refuse(string why)
    {
        var refuse = PeerMessage.Begin(PeerMessageKind.Refuse);
        refuse.WriteNumber((ulong)number);
        refuse.WriteText(why);
        owner.Send(peer, refuse.End());
        Drop();
    }

    void Drop()
    {
        owner.Forget(this);
        if (IsStored)
            _ = _process!.StoreAsync(null);
        _process?.Drop();
    }

    void Begin()
    {
        owner.Forget(this);
        _process!.Begin(peer);
        owner.Send(peer, PeerMessage.Of(PeerMessageKind.Done, number));
    }
}
