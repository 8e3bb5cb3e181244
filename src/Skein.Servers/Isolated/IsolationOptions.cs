namespace Skein;

/// <summary>How an isolated endpoint runs; see <see cref="IsolatedEndpointExtensions"/>.</summary>
public sealed record IsolationOptions
{
    /// <summary>How many requests run at a time, each in a worker of its own: by default one for each processor.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How many more workers are kept ready to take the place of one that is lost: 0 by default.</summary>
    public int Spares { get; init; }

    /// <summary>How many requests may wait for a worker; more are answered 503 at once.</summary>
    public int Queue { get; init; } = 256;

    /// <summary>Bytes that a worker may use; one that reaches it is killed, and its request is answered 502.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// How long a request may run. Then its token is cancelled, after <see cref="Grace"/> its worker is killed, and it is answered 504.
    /// Null, or <see cref="Timeout.InfiniteTimeSpan"/>: as long as it likes.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long a handler may go on after its token was cancelled: 250 ms by default. Then its worker is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A worker is replaced after so many requests, give or take a tenth; null: never.</summary>
    public int? RecycleAfter { get; init; }

    internal IsolationOptions Checked()
    {
        _ = Pool.Checked();
        return this;
    }

    internal PoolOptions Pool => new()
    {
        Workers = Workers,
        Spares = Spares,
        QueueLimit = Queue,
        WhenFull = QueueFullMode.Refuse,
        MemoryLimit = MemoryLimit,
        TaskTimeout = Timeout,
        Grace = Grace,
        RecycleAfter = RecycleAfter,
        RetriesAfterMemory = 0,
    };
}
