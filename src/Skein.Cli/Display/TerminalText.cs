using System.Text;

namespace Skein.Cli;

/// <summary>Text cut to what a row of a terminal holds.</summary>
static class TerminalText
{
    /// <summary>At most so many columns, in one line: what is too long loses its middle, since names differ at their ends.</summary>
    public static string Fit(string text, int columns)
    {
        var runes = text.EnumerateRunes().Select(rune => Rune.IsControl(rune) ? new Rune('?') : rune).ToList();
        if (runes.Sum(Width) <= columns)
            return string.Concat(runes);
        var head = Take(runes, Math.Max(0, (columns - 1) / 3));
        runes.Reverse();
        var tail = Take(runes, Math.Max(0, columns - 1 - head.Sum(Width)));
        tail.Reverse();
        return $"{string.Concat(head)}…{string.Concat(tail)}";
    }

    static List<Rune> Take(List<Rune> runes, int columns)
    {
        var taken = new List<Rune>();
        foreach (var rune in runes)
        {
            columns -= Width(rune);
            if (columns < 0)
                break;
            taken.Add(rune);
        }

        return taken;
    }

    // The blocks of wide characters of East Asia, and of pictures.
    static int Width(Rune rune) => rune.Value switch
    {
        >= 0x1100 and <= 0x115f or >= 0x2e80 and <= 0xa4cf or >= 0xac00 and <= 0xd7a3 or >= 0xf900 and <= 0xfaff => 2,
        >= 0xfe30 and <= 0xfe6f or >= 0xff00 and <= 0xff60 or >= 0xffe0 and <= 0xffe6 or >= 0x1f300 and <= 0x1faff or >= 0x20000 => 2,
        _ => 1,
    };
}
