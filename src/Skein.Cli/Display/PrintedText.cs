using System.Text;

namespace Skein.Cli;

/// <summary>What functions print belongs to no one input, and standard output is kept for results: it goes to standard error, above the picture.</summary>
sealed class PrintedText : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>From now on what code in this process prints goes that way.</summary>
    public static void Redirect()
    {
        Console.SetOut(new PrintedText());
        Console.SetError(new PrintedText());
    }

    public static void Print(string text)
    {
        lock (Screen.Lock)
        {
            Screen.Clear();
            StandardStream.Error.TryWrite(text);
        }
    }

    public override void Write(char value) => Print(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Print(new(buffer, index, count));

    public override void Write(string? value) => Print(value ?? "");

    public override void WriteLine(string? value) => Print(value + "\n");
}
