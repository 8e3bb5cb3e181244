using System.Collections.Concurrent;

namespace Skein;

public sealed partial class MobileNode
{
    readonly ConcurrentDictionary<string, Location> _started = new();   // here, and not ended
    readonly ConcurrentDictionary<string, Pointer> _went = new();       // from here, and whoever knows of it may still write to it here
    readonly ConcurrentDictionary<string, Pointer> _adopted = new();    // started in an earlier life of this node, or gone on from an image, and at another node

    /// <summary>Where a process was when it was last heard of: of two that speak of it, the one with the greater number knows more.</summary>
    record Pointer(string Node, long Sighting)
    {
        public static Pointer? Later(Pointer? one, Pointer? other) => one is null || other?.Sighting > one.Sighting ? other : one;
    }

    /// <summary>Where one is that was started here.</summary>
    sealed record Location(MobileProcess Handle, string Node, long Sighting) : Pointer(Node, Sighting);

    /// <summary>To a process wherever it is; from any thread. What is for one that has ended is lost.</summary>
    internal void Deliver(string id, FollowingItem item)
    {
        while (true)
        {
            if (_residents.TryGetValue(id, out var resident))
            {
                if (item is Withdrawal withdrawal ? !withdrawal.TryApply(resident) : !resident.TryPost(item))
                    continue;   // it has just left
                return;
            }
            if (item is Acknowledgement acknowledgement && _remains.TryGetValue(id, out var remains))
            {
                remains.Take(acknowledgement);
                return;
            }
            if (NextNode(id) is { } next)
            {
                SendAfter(next, id, item);
                return;
            }
            if (!_residents.ContainsKey(id) && NextNode(id) is null)   // it did not come between the two looks
            {
                item.Miss(this, id);
                return;
            }
        }
    }

    /// <summary>Whether it is here, or this node knows whom to ask for it.</summary>
    internal bool IsKnown(string id) => _residents.ContainsKey(id) || NextNode(id) is not null;

    internal void SendAfter(string node, string id, FollowingItem item)
    {
        if (item is Letter letter && letter.ReturnTo != Name && (_started.ContainsKey(id) || _adopted.ContainsKey(id)))
            _forwarded.Note(node, id, letter);
        if (_peers.Find(node) is not { } peer || item.Forward(id) is not { } message || !peer.Send(message))
            item.Miss(this, id);
    }

    /// <summary>Where to ask next for a process that is not here. Null: nowhere.</summary>
    string? NextNode(string id)
    {
        var known = Pointer.Later(_went.GetValueOrDefault(id), _adopted.GetValueOrDefault(id));
        if (_started.TryGetValue(id, out var location) && location.Node != Name)   // one that is not here any more went on elsewhere, by an image of a later life
            known = Pointer.Later(known, location);
        return known?.Node ?? (BirthOf(id) is { } birth && birth != Name && _peers.Find(birth) is not null ? birth : null);
    }

    /// <summary>An id is <c>node.life.number</c>.</summary>
    static string? BirthOf(string id)
    {
        var last = id.LastIndexOf('.');
        var dot = last > 0 ? id.LastIndexOf('.', last - 1) : -1;
        return dot > 0 ? id[..dot] : null;
    }

    /// <summary>A process has left: whatever comes for it from now on follows it.</summary>
    internal void Left(Resident process, string peer)
    {
        _went[process.Id] = new(peer, process.State.Sighting + 1);
        _residents.TryRemove(new(process.Id, process));
    }

    /// <summary>A process is here from now on, and runs.</summary>
    internal void Arrive(Resident process, Action? finish, string from, bool isStored)
    {
        var sighting = process.State.Sighting;
        if (process.State.Home == Name)
        {
            NoteMoved(process.Id, sighting, Name, from);
        }
        else
        {
            var moved = PeerMessage.Begin(PeerMessageKind.Moved);
            moved.WriteText(process.Id);
            moved.WriteNumber((ulong)sighting);
            moved.WriteText(from);
            Send(process.State.Home, moved.End());
        }
        process.Begin(new Arrival(finish, isStored));
    }

    /// <summary>A process that was started here has moved. The node that it left need not send anything after it any more: it is asked for here.</summary>
    void NoteMoved(string id, long sighting, string node, string from)
    {
        NoteLocation(id, node, sighting);
        if (_adopted.ContainsKey(id) || !_started.ContainsKey(id) && (!WasStartedNow(id) || _lost.ContainsKey(id)))
            NoteAdopted(id, node, sighting);
        if (!_started.ContainsKey(id) && BirthOf(id) != Name)
            return;   // nobody asks here: it was started here in an earlier life of this node, from an image
        if (from == Name)
        {
            NoteKnown(id, sighting);
            return;
        }
        var known = PeerMessage.Begin(PeerMessageKind.Known);
        known.WriteText(id);
        known.WriteNumber((ulong)sighting);
        Send(from, known.End());
    }

    internal void NoteLocation(string id, string node, long sighting)
    {
        while (_started.TryGetValue(id, out var location) && location.Sighting < sighting)
        {
            if (!_started.TryUpdate(id, location with { Node = node, Sighting = sighting }, location))
                continue;
            location.Handle.Node = node;
            SayAgain(id);
            return;
        }
    }

    void NoteKnown(string id, long sighting)
    {
        if (_went.TryGetValue(id, out var pointer) && pointer.Sighting <= sighting)
            _went.TryRemove(new(id, pointer));
    }

    /// <summary>A process of another node is here, which that does not know, or not any more: it tells who asks for it.</summary>
    void Adopt(string id, long sighting)
    {
        if (BirthOf(id) is not { } birth || birth == Name)
            return;
        var adopted = PeerMessage.Begin(PeerMessageKind.Adopted);
        adopted.WriteText(id);
        adopted.WriteNumber((ulong)sighting);
        Send(birth, adopted.End());
    }

    void NoteAdopted(string id, string node, long sighting)
    {
        if (node == Name)
        {
            _adopted.TryRemove(id, out _);
            return;
        }
        _adopted.AddOrUpdate(id, new Pointer(node, sighting), (_, known) => known.Sighting > sighting ? known : new(node, sighting));
        _lost.TryRemove(id, out _);
        SayAgain(id);
    }

    /// <summary>The node where it was asked for does not know it any more: it has ended, or was lost, and then it may be known to be elsewhere.</summary>
    void NoteDisowned(string id, string node, bool isLost)
    {
        if (!isLost)
        {
            _adopted.TryRemove(id, out _);
            _forwarded.Forget(id);
        }
        else if (_adopted.TryGetValue(id, out var known) && known.Node == node)
        {
            _lost[id] = node;
            _adopted.TryRemove(new(id, known));
        }
    }

    /// <summary>In this life of the node.</summary>
    bool WasStartedNow(string id) => id.StartsWith(_prefix + ".", StringComparison.Ordinal);

    void Send(string node, byte[] message) => _peers.Find(node)?.Send(message);
}
