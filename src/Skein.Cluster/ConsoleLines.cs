using System.Text;

namespace Skein;

/// <summary>What the processes of a node print goes where it went before, and by lines into the node's log, each under the id of its process.</summary>
sealed class ConsoleLines : TextWriter
{
    /// <summary>A line that has not ended for so long is taken as it is: a question, the last words of a process.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    readonly Lock _gate = new();
    readonly Dictionary<string, (LineBuffer Line, long Since)> _unended = [];
    readonly TextWriter _inner;
    readonly ServeLog _log;
    readonly MobileNode _node;
    readonly bool _isError;
    readonly ITimer _timer;

    ConsoleLines(TextWriter inner, ServeLog log, MobileNode node, bool isError)
    {
        (_inner, _log, _node, _isError) = (inner, log, node, isError);
        _timer = TimeProvider.System.CreateTimer(static lines => ((ConsoleLines)lines!).TakeUnended(Patience), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override Encoding Encoding => _inner.Encoding;

    /// <summary>Until it is disposed of.</summary>
    public static Listening Listen(ServeLog log, MobileNode node)
    {
        var listening = new Listening(new(Console.Out, log, node, isError: false), new(Console.Error, log, node, isError: true));
        Console.SetOut(listening.Output);
        Console.SetError(listening.Errors);
        return listening;
    }

    public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        _inner.Write(buffer);
        if (Resident.Current is { } process && process.Node != _node)
            return;   // another node of this program
        var origin = Here.Id ?? _node.Name;
        lock (_gate)
        {
            if (!_unended.Remove(origin, out var known))
                known.Line = new(line => _log.Add(origin, LogSeverity.Information, line, _isError));
            known.Line.Add(buffer);
            if (known.Line.IsEmpty)
                return;
            _unended.Add(origin, (known.Line, TimeProvider.System.GetTimestamp()));
            if (_unended.Count == 1)
                _timer.Change(Patience, Timeout.InfiniteTimeSpan);
        }
    }

    public override void WriteLine(string? value) => Write(value + Environment.NewLine);

    public override void Flush() => _inner.Flush();

    void TakeUnended(TimeSpan patience)
    {
        lock (_gate)
        {
            foreach (var (origin, (line, since)) in _unended)
            {
                if (TimeProvider.System.GetElapsedTime(since) < patience)
                    continue;
                line.End();
                _unended.Remove(origin);
            }
            if (_unended.Count > 0)
                _timer.Change(Patience, Timeout.InfiniteTimeSpan);
        }
    }

    internal sealed class Listening(ConsoleLines output, ConsoleLines errors) : IDisposable
    {
        public TextWriter Output => output;

        public TextWriter Errors => errors;

        /// <summary>Lines that have not ended are taken as they are.</summary>
        public void TakeUnended()
        {
            output.TakeUnended(TimeSpan.Zero);
            errors.TakeUnended(TimeSpan.Zero);
        }

        public void Dispose()
        {
            TakeUnended();
            Console.SetOut(output._inner);
            Console.SetError(errors._inner);
        }
    }
}
