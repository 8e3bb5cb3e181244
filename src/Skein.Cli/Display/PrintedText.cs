using System.Text;

namespace Skein.Cli;

/// <summary>What functions print belongs to no one input, and standard output is kept for results: it goes to standard error, above the picture.</summary>
sealed class PrintedText : TextWriter
{
    string _half = "";   // of a character, which waits for its other half

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>From now on what code in this process prints goes that way.</summary>
    public static void Redirect()
    {
        Console.SetOut(new PrintedText());
        Console.SetError(new PrintedText());
    }

    public static void Print(string text) => Screen.Above(StandardStream.Error, () => StandardStream.Error.TryWrite(text));

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void Write(string? value)
    {
        var text = _half + value;
        _half = text.Length > 0 && char.IsHighSurrogate(text[^1]) ? text[^1..] : "";
        if (text.Length > _half.Length)
            Print(text[..^_half.Length]);
    }
}
