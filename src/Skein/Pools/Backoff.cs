namespace Skein;

/// <summary>
/// How long to wait before the next restart: not at all while failures are few, then 1 s, doubling up to a minute, each time with a
/// random part so that many pools do not restart together. A success ends it.
/// </summary>
sealed class Backoff(int freeFailures)
{
    static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    int _failures;

    public TimeSpan AfterFailure()
    {
        var beyond = Interlocked.Increment(ref _failures) - freeFailures;
        if (beyond <= 0)
            return TimeSpan.Zero;
        var full = First * Math.Pow(2, Math.Min(beyond - 1, 16));
        return (full < Longest ? full : Longest) * (0.75 + Random.Shared.NextDouble() / 2);
    }

    public void AfterSuccess() => Volatile.Write(ref _failures, 0);
}
