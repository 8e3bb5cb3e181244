namespace Skein;

/// <summary>
/// The letters of a sender: numbered for each receiver, and kept until that has them for good. It travels with its process. Letters of a process that is
/// stored leave with the commit that has them in it: so what has left is never unwritten, whatever becomes of the sender.
/// </summary>
sealed class Outbox
{
    readonly Dictionary<string, Correspondence> _receivers = [];

    sealed class Correspondence
    {
        public long Written, Left;   // numbers of the last
        public Queue<Letter>? Kept;
    }

    /// <summary>Whether all have been had.</summary>
    public bool IsEmpty => _receivers.Values.All(static one => one.Kept is null);

    /// <summary>Numbers a letter, and keeps it.</summary>
    public void Write(string sender, string receiver, Letter letter)
    {
        if (!_receivers.TryGetValue(receiver, out var one))
            _receivers[receiver] = one = new();
        (one.Kept ??= new()).Enqueue(letter.From(sender, ++one.Written));
    }

    /// <summary>The numbers of the last letters to each, where they have not left; null: all have.</summary>
    public Dictionary<string, long>? Staying()
    {
        Dictionary<string, long>? staying = null;
        foreach (var (receiver, one) in _receivers)
        {
            if (one.Written > one.Left)
                (staying ??= [])[receiver] = one.Written;
        }
        return staying;
    }

    /// <summary>Letters to a receiver may leave, up to this number: those that could not before.</summary>
    public IEnumerable<Letter> Leave(string receiver, long number)
    {
        if (!_receivers.TryGetValue(receiver, out var one) || one.Left >= number)
            return [];
        (var left, one.Left) = (one.Left, number);
        return one.Kept?.Where(letter => letter.Number > left && letter.Number <= number).ToArray() ?? [];
    }

    /// <summary>All may leave: those to this receiver, or to any.</summary>
    public void LeaveAll(string? receiver = null)
    {
        foreach (var (name, one) in _receivers)
        {
            if (receiver is null || name == receiver)
                one.Left = one.Written;
        }
    }

    /// <summary>Those that have left and are not known to have arrived: to this receiver, or to any.</summary>
    public (string Receiver, Letter Letter)[] UnderWay(string? receiver) =>
    [
        .. from one in _receivers
           where receiver is null || one.Key == receiver
           from letter in one.Value.Kept ?? []
           where letter.Number <= one.Value.Left
           select (one.Key, letter),
    ];

    /// <summary>The receiver has these for good; or, where all numbers are meant, it has ended.</summary>
    public void Acknowledge(string receiver, long number)
    {
        if (number == Acknowledgement.All)
        {
            _receivers.Remove(receiver);
            return;
        }
        if (!_receivers.TryGetValue(receiver, out var one) || one.Kept is not { } kept)
            return;
        while (kept.TryPeek(out var letter) && letter.Number <= number)
            kept.Dequeue();
        if (kept.Count == 0)
            one.Kept = null;   // the room that many have taken
    }
}
