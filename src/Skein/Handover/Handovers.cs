using System.Collections.Concurrent;

namespace Skein;

/// <summary>
/// The hand-overs of one node. Never do two nodes run a process: the one that it leaves decides, once, and the other one runs it only when
/// it is told. If the connection breaks in the middle it may run on neither until both speak again; then it runs on exactly one.
/// </summary>
/// <remarks>
/// <code>
///   leaves                        comes
///   Offered   ── MOVE ──────────►  Making ─► Storing
///   Deciding  ◄───────── READY ──  Ready          REFUSE, or ABORT after too long: it stays
///   Left      ── GO ────────────►  Taking         in doubt, from READY to GO, the one that it comes to asks again
///   Over      ◄────────── DONE ──  runs
/// </code>
/// A process that a store keeps is told to the store before each of READY, GO and DONE, so that a crash forgets nothing that was said.
/// </remarks>
/// <param name="time">For the limit of an answer.</param>
/// <param name="peers">The transport.</param>
/// <param name="number">Gives numbers that no other life of this node has given.</param>
/// <param name="make">Makes the objects of a process that comes: from its peer's name, id, the store that keeps it, its image. What it throws is told to the other node.</param>
sealed class Handovers(TimeProvider time, Peers peers, Func<long> number, Func<string, string, string, byte[], ValueTask<Coming>> make)
{
    /// <summary>How long a node may take to answer an offer, where nothing else is said: long for making a large process, and short for one that waits to go on.</summary>
    public static readonly TimeSpan UsualLimit = TimeSpan.FromSeconds(10);

    public TimeSpan AnswerLimit { get; set; } = UsualLimit;

    readonly ConcurrentDictionary<long, Offer> _offers = new();
    readonly ConcurrentDictionary<string, Offer> _leaving = new();   // the same by their processes
    readonly ConcurrentDictionary<(string Peer, long Number), Acceptance> _acceptances = new();
    readonly ConcurrentDictionary<string, Acceptance> _coming = new();   // the same by their processes

    public TimeProvider Time => time;

    /// <summary>The processes of which it is not known here whether they run at the other node: their ids, and that node.</summary>
    public IEnumerable<(string Id, string Peer)> InDoubt =>
        _offers.Values.Where(static offer => offer.IsInDoubt).Select(static offer => (offer.Id, offer.Peer))
            .Concat(_acceptances.Values.Select(static one => (one.Id, one.Peer)));

    /// <summary>Whether it was given to another node, and whether it runs there nobody here has heard.</summary>
    public bool IsLeaving(string process) => _leaving.ContainsKey(process);

    /// <summary>In a turn of the process, which ends with this. What happens next is told to <paramref name="process"/>.</summary>
    public void Offer(string peer, Leaving process)
    {
        var offer = Note(new Offer(this, number(), peer, process));
        offer.Begin(time, AnswerLimit);
        if (peers.Find(peer) is not { IsConnected: true })
            offer.Raise(OfferEvent.Broken, "there is no connection with it now");
    }

    /// <summary>The other node has had time enough to answer.</summary>
    public void GiveUp(string process)
    {
        if (_leaving.TryGetValue(process, out var offer))
            offer.Raise(OfferEvent.Late, "it does not answer");
    }

    /// <summary>After a restart, before the first connection: a process that was given away.</summary>
    public void GoOn(HandoverRecord record, Leaving process)
    {
        Note(new Offer(this, record.Number, record.Peer, process)).GoOn();
    }

    /// <summary>The same, with one that was expected.</summary>
    public void GoOn(HandoverRecord record, string id, Coming process)
    {
        Note(new Acceptance(this, record.Peer, record.Number, id)).GoOn(process, record.Image!);
    }

    /// <summary>True if the message was one of a hand-over.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public bool TryTake(string peer, PeerMessageKind kind, GraphReader message)
    {
        if (kind is < PeerMessageKind.Move or > PeerMessageKind.Done)
            return false;
        var number = message.ReadLong();
        switch (kind)
        {
            case PeerMessageKind.Move:
                var (process, storedIn, length) = (message.ReadText(), message.ReadText(), (int)message.ReadUInt32());
                _ = MakeAsync(peer, number, process, storedIn, message.TryReadBytes(length), length);
                break;
            case PeerMessageKind.Ready when _offers.TryGetValue(number, out var offer):
                offer.TakeReady(message.ReadByte() == 1);
                break;
            case PeerMessageKind.Ready:   // it stayed, or so it is: nobody was told anything else
                Send(peer, PeerMessage.Of(PeerMessageKind.Abort, number));
                break;
            case PeerMessageKind.Refuse when _offers.TryGetValue(number, out var offer):
                offer.Raise(OfferEvent.Refused, message.ReadText());
                break;
            case PeerMessageKind.Go when _acceptances.TryGetValue((peer, number), out var acceptance):
                acceptance.Raise(AcceptanceEvent.Go);
                break;
            case PeerMessageKind.Go:   // it is said again to be sure
                Send(peer, PeerMessage.Of(PeerMessageKind.Done, number));
                break;
            case PeerMessageKind.Abort when _acceptances.TryGetValue((peer, number), out var acceptance):
                acceptance.Raise(AcceptanceEvent.Abort);
                break;
            case PeerMessageKind.Done when _offers.TryGetValue(number, out var offer):
                offer.Raise(OfferEvent.Done);
                break;
        }
        return true;
    }

    public void TakeReached(string peer)
    {
        foreach (var offer in OffersTo(peer))
            offer.Raise(OfferEvent.Reached);
        foreach (var acceptance in AcceptancesFrom(peer))
            acceptance.Raise(AcceptanceEvent.Reached);
    }

    public void TakeCut(string peer)
    {
        foreach (var offer in OffersTo(peer))
            offer.Raise(OfferEvent.Broken, "the connection with it is broken");
    }

    public void TakeEnd(string peer)
    {
        foreach (var offer in OffersTo(peer))
            offer.TakeEnd("it has ended");
        foreach (var acceptance in AcceptancesFrom(peer))
            acceptance.TakeEnd();
    }

    public void Send(string peer, byte[] message) => peers.Find(peer)?.Send(message);

    public void Forget(Offer offer)
    {
        _offers.TryRemove(offer.Number, out _);
        _leaving.TryRemove(new(offer.Id, offer));
    }

    public void Forget(Acceptance acceptance)
    {
        _acceptances.TryRemove((acceptance.Peer, acceptance.Number), out _);
        _coming.TryRemove(new(acceptance.Id, acceptance));
    }

    /// <summary>Why a process is refused.</summary>
    public static string NoMemory(string node, int length) => $"Node {node} has no memory for the process, whose image has {length:N0} bytes.";

    /// <param name="image">Null where there is no memory for its <paramref name="length"/>.</param>
    async Task MakeAsync(string peer, long number, string process, string storedIn, byte[]? image, int length)
    {
        // What comes back has been where it went, and what is offered anew has stayed before, whoever has not yet been heard to say so.
        if (_leaving.TryGetValue(process, out var left))
            left.Raise(OfferEvent.Done);
        if (_coming.TryGetValue(process, out var earlier))
            earlier.Raise(AcceptanceEvent.Abort);
        var acceptance = Note(new Acceptance(this, peer, number, process));
        try
        {
            if (image is null)
                acceptance.Raise(AcceptanceEvent.Unfit, NoMemory(peers.Name, length));
            else
                acceptance.Make(await make(peer, process, storedIn, image).ConfigureAwait(false), image);
        }
        catch (Exception e)   // of whatever kind: another version, no memory
        {
            acceptance.Raise(AcceptanceEvent.Unfit, e.Message);
        }
    }

    Offer Note(Offer offer)
    {
        _offers[offer.Number] = offer;
        _leaving[offer.Id] = offer;
        return offer;
    }

    Acceptance Note(Acceptance acceptance)
    {
        _acceptances[(acceptance.Peer, acceptance.Number)] = acceptance;
        _coming[acceptance.Id] = acceptance;
        return acceptance;
    }

    IEnumerable<Offer> OffersTo(string peer) => _offers.Values.Where(offer => offer.Peer == peer);

    IEnumerable<Acceptance> AcceptancesFrom(string peer) => _acceptances.Values.Where(acceptance => acceptance.Peer == peer);
}
