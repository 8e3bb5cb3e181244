namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>What a node has said before it ended may still be on its way by others: so long is waited before a process is given up that was there.</summary>
    static readonly TimeSpan LossGrace = TimeSpan.FromSeconds(2);

    readonly Peers _peers;
    readonly Handovers _handovers;

    internal Peers Peers => _peers;

    /// <exception cref="CannotMoveException">There is no such node.</exception>
    internal void RequirePeer(string name, string process)
    {
        if (_peers.Find(name) is { IsGuest: false })
            return;
        var others = string.Join(", ", _peers.All.Where(static peer => !peer.IsGuest).Select(static peer => peer.Name).Order());
        throw new CannotMoveException($"Mobile process {process} stays at node {Name}: that is connected with no node named {name}{(others.Length == 0 ? "" : $", only with {others}")}.");
    }

    internal void Offer(string destination, LeavingProcess process) => _handovers.Offer(destination, process);

    /// <summary>Nobody waits any longer for the node that it was offered to: it stays, unless that has it already.</summary>
    internal void GiveUpOffer(string process) => _handovers.GiveUp(process);

    void Take(PeerSession from, byte[] frame)
    {
        var (kind, message) = PeerMessage.Read(frame);
        if (_handovers.TryTake(from.Name, kind, message))
            return;
        switch (kind)
        {
            case PeerMessageKind.Told:
                Take(message.ReadLong(), ReadAnswer(message));
                return;
            case PeerMessageKind.Request:
                TakeRequest(from.Name, message.ReadLong(), message.ReadBytes().ToArray());
                return;
            case PeerMessageKind.Response:
                TakeResponse(message.ReadLong(), message.ReadBytes().ToArray());
                return;
        }
        var id = message.ReadText();
        switch (kind)
        {
            case PeerMessageKind.Letter or PeerMessageKind.Acknowledge or PeerMessageKind.Kill or PeerMessageKind.Stop or PeerMessageKind.Ask or PeerMessageKind.Withdraw:
                var forwards = message.ReadByte();
                FollowingItem item = kind switch
                {
                    PeerMessageKind.Letter => Letter.Read(message),
                    PeerMessageKind.Acknowledge => Acknowledgement.Read(id, message),
                    PeerMessageKind.Ask => Skein.Ask.Read(message),
                    PeerMessageKind.Withdraw => Withdrawal.Read(message),
                    PeerMessageKind.Stop => new StopRequest(),
                    _ => new KillRequest(),
                };
                Deliver(id, item.After(forwards));
                break;
            case PeerMessageKind.Moved:
                NoteMoved(id, message.ReadLong(), from.Name, message.ReadText());
                break;
            case PeerMessageKind.Known:
                NoteKnown(id, message.ReadLong());
                break;
            case PeerMessageKind.Ended:
                var outcome = message.ReadBytes().ToArray();
                Complete(id, handle => handle.Complete(outcome));
                break;
            case PeerMessageKind.Lost:
                NoteLost(id, message.ReadLong(), message.ReadText());
                break;
            case PeerMessageKind.Adopted:
                NoteAdopted(id, from.Name, message.ReadLong());
                break;
            case PeerMessageKind.Disowned:
                NoteDisowned(id, from.Name, isLost: message.ReadByte() != 0);
                break;
            default:
                throw new InvalidDataException($"Node {from.Name} says what is not known here ({kind}).");
        }
    }

    void Cut(PeerSession peer)
    {
        _handovers.TakeCut(peer.Name);
        BreakRequests(peer.Name);
    }

    void Reach(PeerSession peer)
    {
        Reached?.Invoke(peer.Name);
        _handovers.TakeReached(peer.Name);
        foreach (var (id, location) in _started)
        {
            if (BirthOf(id) == peer.Name)
                Adopt(id, location.Sighting);
        }
        if (!peer.WasReached)
        {
            peer.WasReached = true;
            foreach (var process in _residents.Values.Where(process => BirthOf(process.Id) == peer.Name))
                Adopt(process.Id, process.State.Sighting);   // the peer may have been started again since it was
        }
        foreach (var id in _missed.Keys)
            SayAgain(id);
    }

    /// <summary>A process comes from another node. Its objects are made before the other lets go of it; it runs when that has.</summary>
    async ValueTask<Coming> MakeAsync(string from, string id, string storedIn, byte[] image)
    {
        RequireOpen();
        var isToBeStored = storedIn.Length > 0 && storedIn != Store?.Identity;
        if (isToBeStored && Store is null)
            throw new InvalidOperationException("The process has stored itself, and that node has no store.");
        var made = Make(await ReadAsync(image, from).ConfigureAwait(false), isToBeStored);
        if (made.Id != id || _residents.ContainsKey(id))
        {
            made.Drop();
            throw new InvalidDataException($"The process {id} is there already, or it is another one.");
        }
        return made;
    }

    /// <summary>A node has ended, and what was there with it.</summary>
    void LosePeer(PeerSession peer, IEnumerable<byte[]> notHad)
    {
        BreakRequests(peer.Name);
        if (peer.IsGuest)
        {
            ForgetGuest(peer.Name);
            return;   // no process was ever there
        }
        _handovers.TakeEnd(peer.Name);
        foreach (var (id, pointer) in _went)
        {
            if (pointer.Node == peer.Name && !_handovers.IsLeaving(id) && _went.TryRemove(new(id, pointer)))   // the next of its name may have that in its store
                TellLost(BirthOf(id) ?? Name, id, pointer.Sighting, peer.Name);   // that it was there the node that it was started at may not have heard
        }
        foreach (var (id, home) in _adopted)
        {
            if (home.Node != peer.Name)
                continue;
            _lost[id] = home.Node;
            _adopted.TryRemove(new(id, home));
        }
        foreach (var (id, location) in _started)
        {
            if (location.Node == peer.Name)
                _ = LoseAsync(id, location.Sighting, peer.Name);
        }
        foreach (var process in _residents.Values.Where(process => process.State.Home == peer.Name))
            Adopt(process.Id, process.State.Sighting);   // who asks for it would have asked there
        SayAllAgain(peer.Name, notHad);
        _ = WithdrawAgainAsync();
    }

    /// <summary>A process was handed over to a node that has ended.</summary>
    internal Task LoseAsync(MobileState process, string node)
    {
        if (process.Home == Name)
            return LoseAsync(process.Id, process.Sighting, node);
        TellLost(process.Home, process.Id, process.Sighting, node);
        return Task.CompletedTask;
    }

    void TellLost(string home, string id, long sighting, string node)
    {
        if (home == Name)
        {
            NoteLost(id, sighting, node);
            return;
        }
        var lost = PeerMessage.Begin(PeerMessageKind.Lost);
        lost.WriteText(id);
        lost.WriteNumber((ulong)sighting);
        lost.WriteText(node);
        Send(home, lost.End());
    }

    void NoteLost(string id, long sighting, string node) => _ = LoseAsync(id, sighting, node);

    /// <summary>Unless it is heard from meanwhile.</summary>
    async Task LoseAsync(string id, long sighting, string node)
    {
        await Task.Delay(LossGrace, Time).ConfigureAwait(false);
        if (!_started.TryGetValue(id, out var location) || location.Sighting > sighting)
            return;
        var lost = MobileOutcome.Failed(new NodeLostException(id, node));
        Ended?.Invoke(id, lost);
        Complete(id, lost);
    }

    /// <summary>Hears how processes end here, and of those that were started here that they are lost, by their ids.</summary>
    internal Action<string, MobileOutcome>? Ended { get; set; }

    /// <summary>Its end is heard once the store has forgotten it: nobody who knows of it sees it start again.</summary>
    internal async Task EndAsync(Resident process, MobileOutcome outcome)
    {
        var remains = process.State.Remains();
        if (process.State.IsStored && Store is not null)
        {
            try
            {
                await process.SaveAsync(remains is null ? null : MobileImage.Write(remains, new(this, process.Id))).ConfigureAwait(false);
            }
            catch (Exception e)   // a full disk, a store that was closed
            {
                outcome = MobileOutcome.Failed(new IOException($"Mobile process {process.Id} ended, but the store still has it, and would restore it: {e.Message}", e));
                if (remains is not null)
                    _ = KeepLaterAsync(remains, process);
                remains = null;
            }
        }
        Fastened.Release(process.Id);
        foreach (var owner in process.State.Owners ?? [])
            _ = ReleaseAsync(owner, process.Id);
        if (remains is not null)
            Keep(remains, process.Saved);
        _residents.TryRemove(new(process.Id, process));
        Ended?.Invoke(process.Id, outcome);   // its result is nobody else's yet
        if (process.State.Home == Name)
            Complete(process.Id, outcome);
        else
            SayEnded(process.State, Write(outcome));
        process.Forget();
    }

    void SayEnded(MobileState process, byte[] outcome)
    {
        var ended = PeerMessage.Begin(PeerMessageKind.Ended);
        ended.WriteText(process.Id);
        ended.WriteBytes(outcome);
        Send(process.Home, ended.End());
    }

    void Complete(string id, MobileOutcome outcome) => Complete(id, handle => handle.Complete(outcome), (outcome.Error as NodeLostException)?.Node);

    /// <param name="id">Of the process.</param>
    /// <param name="tell">How it ended.</param>
    /// <param name="lostWith">The node that it was lost with; null: it has ended.</param>
    void Complete(string id, Action<MobileProcess> tell, string? lostWith = null)
    {
        if (_residents.TryGetValue(id, out var left) && left.IsGone)
            _residents.TryRemove(new(id, left));   // it has ended elsewhere before this node has quite let go of it
        if (lostWith is not null)
            _lost[id] = lostWith;   // it may come back, if it was stored there
        else
            ForgetRoutes(id);
        if (!_started.TryRemove(id, out var started))
            return;
        if (BirthOf(id) is { } birth && birth != Name)
        {
            var disowned = PeerMessage.Begin(PeerMessageKind.Disowned);
            disowned.WriteText(id);
            disowned.WriteByte((byte)(lostWith is null ? 0 : 1));
            Send(birth, disowned.End());
        }
        tell(started.Handle);
    }

    internal static byte[] Write(MobileOutcome outcome)
    {
        try
        {
            return Encode(outcome);
        }
        catch (Exception e) when (e is CannotTravelException or MessageTooLargeException)
        {
            return Encode(MobileOutcome.Failed(e));
        }
        catch (Exception e)   // of whatever kind: a collection that others change while it is written
        {
            return Encode(MobileOutcome.Failed(new InvalidOperationException($"The result could not be written ({e.GetType().Name}): {e.Message}")));
        }
    }

    internal MobileOutcome ReadOutcome(byte[] bytes)
    {
        try
        {
            return Decode<MobileOutcome>(bytes);
        }
        catch (Exception e)   // of whatever kind: the application's own comparer or hash function
        {
            return MobileOutcome.Failed(e);
        }
    }
}
