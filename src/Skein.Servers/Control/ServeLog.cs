namespace Skein;

/// <summary>What workers printed and the master did: the last lines are kept, listeners hear each as it comes.</summary>
sealed class ServeLog(TimeProvider time)
{
    const int Kept = 10_000;

    readonly Lock _lock = new();
    readonly Queue<ServeLine> _lines = new();
    long _count;

    /// <summary>Is called in order, one line at a time; must not wait.</summary>
    public event Action<ServeLine>? Added;

    public void Add(string source, LogSeverity severity, string text, bool isError = false)
    {
        lock (_lock)
        {
            var line = new ServeLine(++_count, time.GetUtcNow(), source, severity, text, isError);
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
                _lines.Dequeue();
            Added?.Invoke(line);
        }
    }

    /// <summary>The last lines.</summary>
    public IReadOnlyList<ServeLine> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    /// <summary>The lines so far, and from then on each as it comes, none lost between.</summary>
    public IReadOnlyList<ServeLine> Follow(Action<ServeLine> added)
    {
        lock (_lock)
        {
            Added += added;
            return [.. _lines];
        }
    }

    public void Forget(Action<ServeLine> added)
    {
        lock (_lock)
            Added -= added;
    }
}

/// <param name="Origin">The worker that printed it; the server's own id where the master says it.</param>
/// <param name="IsError">It was printed on standard error.</param>
sealed record ServeLine(long Number, DateTimeOffset Time, string Origin, LogSeverity Severity, string Text, bool IsError);

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
