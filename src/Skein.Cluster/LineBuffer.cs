using System.Text;

namespace Skein;

/// <summary>Text that comes in pieces, as lines.</summary>
sealed class LineBuffer(Action<string> take)
{
    /// <summary>One that is longer is taken for several: it would be kept in memory until it ends.</summary>
    const int Longest = 16 * 1024;

    readonly StringBuilder _line = new();

    public bool IsEmpty => _line.Length == 0;

    public void Add(ReadOnlySpan<char> text)
    {
        for (var end = text.IndexOf('\n'); end >= 0; end = text.IndexOf('\n'))
        {
            _line.Append(text[..end]);
            Take();
            text = text[(end + 1)..];
        }
        _line.Append(text);
        if (_line.Length > Longest)
            Take();
    }

    /// <summary>The last line may have no end.</summary>
    public void End()
    {
        if (!IsEmpty)
            Take();
    }

    void Take()
    {
        if (_line is [.., '\r'])
            _line.Length--;
        take(_line.ToString());
        _line.Clear();
    }
}
