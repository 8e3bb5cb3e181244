namespace Skein;

/// <summary>
/// Which letters a process has had of each sender, and those that came before their turn. It travels with the process: so each letter is
/// read once and in its order, however often both have moved.
/// </summary>
sealed class LetterOrder
{
    readonly Dictionary<string, long> _last = [];
    List<Letter>? _early;

    /// <summary>It goes on from an image: what it had heard since then nobody sends again, so of each sender the first letter that comes begins.</summary>
    public bool IsRestored { get; init; }

    public void Take(Letter letter, Resident resident)
    {
        var last = _last.GetValueOrDefault(letter.Sender);
        if (letter.Number <= last)
            return;   // it has had it
        if (letter.Number > last + 1 && !(IsRestored && last == 0))
        {
            (_early ??= []).Add(letter);
            return;
        }
        for (var next = letter; next is not null; next = TakeEarly(next.Sender, next.Number + 1))
        {
            _last[next.Sender] = next.Number;
            next.Open(resident);
        }
    }

    /// <summary>What is missing has been lost with a node: those that came after it are read.</summary>
    public void GiveUpMissing(Resident resident)
    {
        while (_early?.MinBy(static letter => letter.Number) is { } letter)
        {
            _last[letter.Sender] = letter.Number - 1;
            _early.Remove(letter);
            Take(letter, resident);
        }
        _early = null;
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
