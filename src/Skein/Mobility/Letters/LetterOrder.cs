namespace Skein;

/// <summary>
/// Which letters a process has had of each sender, and those that came before their turn. It travels with the process: so each letter is
/// read once and in its order, however often both have moved or were restored.
/// </summary>
sealed class LetterOrder
{
    readonly Dictionary<string, long> _last = [];
    Dictionary<string, string>? _unsaid;   // senders who have not been told what was had of them, and where they are told
    List<Letter>? _early;

    /// <summary>It goes on from an image that no store has: what it had heard since then nobody sends again, so of each sender the first letter that comes begins.</summary>
    public bool IsRestored { get; init; }

    /// <summary>What senders have not been told: who, where, and the number of the last letter that was had; null: nothing.</summary>
    public (string Sender, string ReturnTo, long Number)[]? Unsaid => _unsaid is null ? null : [.. _unsaid.Select(one => (one.Key, one.Value, _last[one.Key]))];

    public void Take(Letter letter, Resident resident)
    {
        var last = _last.GetValueOrDefault(letter.Sender);
        if (letter.Number <= last)
        {
            // It has had it. The sender has not heard so, and is told now if that is all that keeps him from it: also where he would have been told
            // by a letter, since one who has ended hears nothing of that.
            if (!resident.State.IsDurable || _unsaid?.ContainsKey(letter.Sender) != true)
                resident.Node.Acknowledge(letter.ReturnTo, letter.Sender, resident.Id, last);
            return;
        }
        if (letter.Number > last + 1 && !(IsRestored && last == 0))
        {
            if (_early?.Exists(other => other.Number == letter.Number && other.Sender == letter.Sender) != true)
                (_early ??= []).Add(letter);
            return;
        }
        var isToldNow = letter.IsLeft && !resident.State.IsDurable;
        for (var next = letter; next is not null; next = TakeEarly(next.Sender, next.Number + 1))
        {
            _last[next.Sender] = next.Number;
            (_unsaid ??= [])[next.Sender] = next.ReturnTo;
            next.Open(resident);
        }
        if (isToldNow)
            resident.Node.Acknowledge(letter.ReturnTo, letter.Sender, resident.Id, Say(letter.Sender));
    }

    /// <summary>A sender was told.</summary>
    public void NoteSaid(string sender, long number)
    {
        if (_last[sender] != number)
            return;   // more has come since
        _unsaid?.Remove(sender);
        if (_unsaid?.Count == 0)
            _unsaid = null;
    }

    /// <summary>The number of the last letter that was had of this sender, who is about to be told; 0 where he was.</summary>
    public long Say(string sender)
    {
        if (_unsaid?.ContainsKey(sender) != true)
            return 0;
        var last = _last[sender];
        NoteSaid(sender, last);
        return last;
    }

    Letter? TakeEarly(string sender, long number)
    {
        var place = _early?.FindIndex(letter => letter.Number == number && letter.Sender == sender) ?? -1;
        if (place < 0)
            return null;
        var letter = _early![place];
        _early.RemoveAt(place);
        if (_early.Count == 0)
            _early = null;
        return letter;
    }
}
