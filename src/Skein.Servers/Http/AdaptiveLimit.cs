namespace Skein;

/// <summary>
/// How many requests a server takes on at a time, found by measuring: Vegas, as in Netflix' concurrency-limits. While requests take no longer
/// than at the least, the limit grows; when they do, a queue has formed somewhere behind them, and it shrinks.
/// </summary>
public sealed record AdaptiveLimit
{
    /// <summary>The limit at first: 20.</summary>
    public int Initial { get; init; } = 20;

    /// <summary>It never gets smaller: 4.</summary>
    public int Least { get; init; } = 4;

    /// <summary>It never gets larger: 1,000.</summary>
    public int Most { get; init; } = 1000;

    internal AdaptiveLimit Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Least, 1, nameof(Least));
        ArgumentOutOfRangeException.ThrowIfLessThan(Initial, Least, nameof(Initial));
        ArgumentOutOfRangeException.ThrowIfLessThan(Most, Initial, nameof(Most));
        return this;
    }
}
