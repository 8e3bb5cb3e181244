using System.Collections.Concurrent;

namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>A store that is full may have room later.</summary>
    static readonly TimeSpan StoreAgain = TimeSpan.FromSeconds(1);

    readonly Remains _letters;   // of the handles
    readonly ConcurrentDictionary<string, Remains> _remains = new();   // by their senders' ids, these among them
    readonly ConcurrentDictionary<string, string> _lost = new();       // processes that were started here, and the node that they were lost with
    readonly ConcurrentDictionary<string, ConcurrentDictionary<string, string>> _missed = new();   // receivers of letters that could not go on, with their senders and where these are asked for
    readonly ForwardedLetters _forwarded = new();

    /// <summary>Whoever has the handle of a process writes to it.</summary>
    internal void Write(string receiver, Letter letter) => _letters.Write(receiver, letter);

    /// <summary>Tells a sender what of his letters a receiver has for good.</summary>
    /// <param name="returnTo">The node that the last of them was sent from.</param>
    internal void Acknowledge(string returnTo, string sender, string receiver, long number)
    {
        var (id, acknowledgement) = (Acknowledgement.IdOf(sender), new Acknowledgement(sender, receiver, number));
        if (returnTo != Name && !_residents.ContainsKey(id) && _peers.Find(returnTo) is not null)
            SendAfter(returnTo, id, acknowledgement);
        else
            Deliver(id, acknowledgement);
    }

    /// <summary>A letter cannot go on from here. Either its receiver has ended, or its sender says it again when there is a way.</summary>
    internal void MissLetter(string receiver, Letter letter)
    {
        if (HasEnded(receiver))
        {
            Acknowledge(letter.ReturnTo, letter.Sender, receiver, Acknowledgement.All);
            return;
        }
        NoteMissed(receiver, letter.Sender, letter.ReturnTo);
        if (!letter.WasEverywhere && IsReachable(receiver))
            SayAgain(receiver);   // the way was found meanwhile
    }

    bool IsReachable(string receiver) => _residents.ContainsKey(receiver) || NextNode(receiver) is { } next && _peers.Find(next) is { IsOpen: true };

    void NoteMissed(string receiver, string sender, string returnTo)
    {
        ConcurrentDictionary<string, string> senders;
        do
        {
            senders = _missed.GetOrAdd(receiver, static _ => new());
            senders[sender] = returnTo;
        }
        while (!_missed.TryGetValue(receiver, out var now) || now != senders);   // they may just have been asked, all but this one
    }

    /// <summary>There may be a way to this process now.</summary>
    void SayAgain(string receiver)
    {
        if (!_missed.IsEmpty && _missed.TryRemove(receiver, out var senders))
        {
            foreach (var (sender, returnTo) in senders)
                Acknowledge(returnTo, sender, receiver, Acknowledgement.None);
        }
    }

    /// <summary>A node has ended, and with it letters and acknowledgements that were there.</summary>
    /// <param name="ended">The node.</param>
    /// <param name="notHad">Messages to it that have not reached it: some letters of others among them.</param>
    void SayAllAgain(string ended, IEnumerable<byte[]> notHad)
    {
        foreach (var message in notHad)
        {
            if (PeerMessage.ReadLetter(message) is var (to, letter) && letter.ReturnTo != Name)
                MissLetter(to, letter);
        }
        foreach (var (receiver, sender, returnTo) in _forwarded.Lose(ended))
        {
            NoteMissed(receiver, sender, returnTo);
            if (IsReachable(receiver))
                SayAgain(receiver);
        }
        foreach (var process in _residents.Values)
        {
            if (process.State.Outbox is not null)
                process.Post(new LettersLost());
        }
        foreach (var (_, remains) in _remains)
            remains.SayAgain();
    }

    /// <summary>A process has ended, and some of its letters were not had.</summary>
    /// <param name="saved">Ends when the store has them, if it is to.</param>
    void Keep(MobileState process, Task saved)
    {
        process.Outbox!.LeaveAll();
        var (id, isStored) = (process.Id, process.IsStored && Store is not null);
        var remains = new Remains(this, process.Sender, process.Outbox)
        {
            Over = remains =>
            {
                if (_remains.TryRemove(new(id, remains)) && isStored)
                    _ = RemoveAsync(id, saved);
            },
        };
        _remains[id] = remains;
        remains.SayAgain();
    }

    /// <summary>The store could not keep them. Until it does they stay: the process would go on at its last checkpoint, and write others.</summary>
    async Task KeepLaterAsync(MobileState remains, Resident process)
    {
        for (var isKept = false; !isKept;)
        {
            await Task.Delay(StoreAgain, Time).ConfigureAwait(false);
            try
            {
                await process.SaveAsync(MobileImage.Write(remains, new(this, process.Id))).ConfigureAwait(false);
                isKept = true;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (Exception)   // of whatever kind: it is full still
            {
            }
        }
        Keep(remains, process.Saved);
    }

    async Task RemoveAsync(string id, Task saved)
    {
        await saved.ConfigureAwait(false);
        try
        {
            await Store!.RemoveAsync(id).ConfigureAwait(false);
        }
        catch (Exception)   // of whatever kind: after a restart they are said again, and were had
        {
        }
    }

    /// <summary>It has ended, and nobody asks for it.</summary>
    void ForgetRoutes(string process)
    {
        _went.TryRemove(process, out _);
        _adopted.TryRemove(process, out _);
        _lost.TryRemove(process, out _);
        _letters.Take(new(_prefix, process, Acknowledgement.All));
        _forwarded.Forget(process);
    }

    /// <summary>Whether this node knows so. What was started in an earlier life of it may be anywhere.</summary>
    bool HasEnded(string process) => WasStartedNow(process)
        && !_started.ContainsKey(process) && !_adopted.ContainsKey(process) && !_lost.ContainsKey(process);
}
