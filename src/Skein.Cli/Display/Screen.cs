namespace Skein.Cli;

/// <summary>
/// The live display's place at the bottom of the terminal. Whatever else is written there clears it first, under the same lock, and
/// the display paints itself again below.
/// </summary>
static class Screen
{
    static int _rows;

    public static Lock Lock { get; } = new();

    /// <summary>Takes the display away, so that something else can be written where it stood.</summary>
    public static void Clear()
    {
        if (_rows > 0)
        {
            StandardStream.Error.TryWrite(Erase());
            StandardStream.IsInLine = false;   // the cursor is where the picture began
        }

        _rows = 0;
    }

    /// <summary>
    /// Writes something above the picture. Results that go elsewhere than to its terminal may wait for who reads them, and only they do.
    /// </summary>
    public static void Above(StandardStream stream, Action write)
    {
        if (stream == StandardStream.Output && !stream.IsTerminal)
        {
            write();
            return;
        }

        lock (Lock)
        {
            Clear();
            write();
        }
    }

    /// <summary>Puts a new picture where the old one stood. One write, so that nothing flickers.</summary>
    /// <param name="picture">Lines, each ended by a line feed and none wider than the terminal.</param>
    public static void Paint(string picture)
    {
        // Output that does not end its line would be erased with the picture that stands behind it.
        StandardStream.Error.Write((StandardStream.IsInLine ? "\n" : "") + Erase() + picture);
        _rows = picture.Count(c => c == '\n');
    }

    // Back to the first row of the picture, and erase from there to the end of the screen.
    static string Erase() => _rows == 0 ? "" : $"\e[{_rows}A\r\e[J";
}
