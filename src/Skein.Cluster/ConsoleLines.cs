using System.Text;

namespace Skein;

/// <summary>What the processes of a node print goes where it went before, and by lines into the node's log, each under the id of its process.</summary>
sealed class ConsoleLines(TextWriter inner, ServeLog log, string node, bool isError) : TextWriter
{
    readonly Lock _gate = new();
    readonly Dictionary<string, StringBuilder> _lines = [];   // that have not ended

    public override Encoding Encoding => inner.Encoding;

    /// <summary>Until it is disposed of.</summary>
    public static IDisposable Listen(ServeLog log, string node)
    {
        var (output, errors) = (Console.Out, Console.Error);
        Console.SetOut(new ConsoleLines(output, log, node, isError: false));
        Console.SetError(new ConsoleLines(errors, log, node, isError: true));
        return new Restoring(output, errors);
    }

    public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        inner.Write(buffer);
        var origin = Here.Id ?? node;
        lock (_gate)
        {
            foreach (var letter in buffer)
                Add(origin, letter);
        }
    }

    public override void WriteLine(string? value) => Write(value + Environment.NewLine);

    public override void Flush() => inner.Flush();

    void Add(string origin, char letter)
    {
        if (!_lines.TryGetValue(origin, out var line))
            _lines.Add(origin, line = new());
        if (letter != '\n')
        {
            line.Append(letter);
            return;
        }
        log.Add(origin, LogSeverity.Information, line.ToString(), isError);
        _lines.Remove(origin);
    }

    sealed class Restoring(TextWriter output, TextWriter errors) : IDisposable
    {
        public void Dispose()
        {
            Console.SetOut(output);
            Console.SetError(errors);
        }
    }
}
