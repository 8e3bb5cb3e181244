using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Skein;

/// <summary>What workers printed and the master did: the last lines are kept, and readers get each as it comes. It waits for nobody.</summary>
/// <param name="server">In whose name it is said that lines are missing.</param>
sealed class ServeLog(TimeProvider time, string server)
{
    const int Kept = 10_000;

    readonly Lock _lock = new();
    readonly Queue<ServeLine> _lines = new();
    readonly List<Reader> _readers = [];
    readonly string _server = server;
    long _count;

    public void Add(string source, LogSeverity severity, string text, bool isError = false, ProcessEnding ending = default)
    {
        lock (_lock)
        {
            var line = new ServeLine(++_count, time.GetUtcNow(), source, severity, text, isError, ending);
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
                _lines.Dequeue();
            foreach (var reader in _readers)
                reader.Add(line);
        }
    }

    /// <summary>From now on, and before that what is kept, where it is wanted; no line is lost between. Dispose it to read no more.</summary>
    public Reader Read(bool fromStart)
    {
        lock (_lock)
        {
            var reader = new Reader(this, _count - (fromStart ? _lines.Count : 0));
            if (fromStart)
            {
                foreach (var line in _lines)
                    reader.Add(line);
            }

            _readers.Add(reader);
            return reader;
        }
    }

    /// <summary>One that reads too slowly misses lines, and is told how many.</summary>
    internal sealed class Reader(ServeLog log, long last) : IDisposable
    {
        readonly Channel<ServeLine> _waiting = Channel.CreateBounded<ServeLine>(new BoundedChannelOptions(Kept) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

        public void Add(ServeLine line) => _waiting.Writer.TryWrite(line);

        /// <summary>There will be no more after those that are there.</summary>
        public void Complete() => _waiting.Writer.TryComplete();

        public async IAsyncEnumerable<ServeLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (var line in _waiting.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                if (line.Number > last + 1)
                    yield return line with { Origin = log._server, Severity = LogSeverity.Warning, Text = $"{line.Number - last - 1} lines are missing here: they came faster than they were read.", IsError = true };
                last = line.Number;
                yield return line;
            }
        }

        public void Dispose()
        {
            lock (log._lock)
                log._readers.Remove(this);
            Complete();
        }
    }
}

/// <param name="Origin">The worker that printed it; the server's own id where the master says it.</param>
/// <param name="IsError">It was printed on standard error.</param>
/// <param name="Ending">The line tells that a process has ended, and how.</param>
sealed record ServeLine(long Number, DateTimeOffset Time, string Origin, LogSeverity Severity, string Text, bool IsError, ProcessEnding Ending);

/// <summary>How a process of a node has ended.</summary>
enum ProcessEnding
{
    /// <summary>It has not.</summary>
    None,

    Returned,
    Failed,
    Killed,

    /// <summary>With its node.</summary>
    Lost,
}

/// <summary>As the framework's console prints them.</summary>
enum LogSeverity
{
    Trace,
    Debug,
    Information,
    Warning,
    Error,
    Critical,
}
