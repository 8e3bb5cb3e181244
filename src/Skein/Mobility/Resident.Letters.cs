namespace Skein;

sealed partial class Resident
{
    /// <summary>In a turn of the process: writes to another.</summary>
    public void Send<T>(string receiver, T message)
    {
        if (_isGivenUp)
            throw new ProcessKilledException($"Mobile process {Id} was killed.");
        var letter = Letter.Of(null, message, had: state.IsDurable ? 0 : state.Letters?.Say(receiver) ?? 0);
        var outbox = state.Outbox ??= new();
        outbox.Write(state.Sender, receiver, letter);
        if (state.IsDurable)
            return;   // it leaves with the commit that has it
        outbox.LeaveAll(receiver);
        node.Deliver(receiver, letter.Copy(node.Name));
    }

    /// <summary>Of letters that have left it is not known whether they arrived. Those to this receiver, or to any.</summary>
    public void SayAgain(string? receiver = null)
    {
        foreach (var (to, letter) in state.Outbox?.UnderWay(receiver) ?? [])
            node.Deliver(to, letter.Copy(node.Name));
    }

    /// <summary>In a turn: a store has an image of it.</summary>
    /// <param name="letters">That are in it; null: all, since it goes on from there.</param>
    public void NoteStored(StoredLetters? letters)
    {
        (state.IsDurable, state.WasStored) = (true, true);
        if (letters is null)
        {
            state.Outbox?.LeaveAll();
            SayAgain();
        }
        foreach (var (receiver, number) in letters?.Written ?? [])
        {
            foreach (var letter in state.Outbox!.Leave(receiver, number))
                node.Deliver(receiver, letter.Copy(node.Name));
        }
        Acknowledge(letters is null ? state.Letters?.Unsaid : letters.Had);
    }

    /// <summary>The first image of it could not be stored: it is as if that had not been asked for.</summary>
    public void NoteNotStored()
    {
        if (state.WasStored)
            return;
        NoteStored(null);
        (state.IsDurable, state.WasStored) = (false, false);
    }

    /// <summary>After its end, when the node does not know it any more: what came for it meanwhile finds that out.</summary>
    public void Forget()
    {
        InboxItem? late;
        lock (this)
        {
            _presence = Presence.Left;
            late = _first;
            _first = _last = null;
        }
        PostAgain(late);
        foreach (var (sender, returnTo, _) in state.Letters?.Unsaid ?? [])
            node.Acknowledge(returnTo, sender, Id, Acknowledgement.All);
    }

    void Acknowledge((string Sender, string ReturnTo, long Number)[]? had)
    {
        foreach (var (sender, returnTo, number) in had ?? [])
        {
            node.Acknowledge(returnTo, sender, Id, number);
            state.Letters!.NoteSaid(sender, number);
        }
    }
}
