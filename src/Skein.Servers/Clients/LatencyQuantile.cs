namespace Skein;

/// <summary>
/// The time that 95 of 100 answers take at most, followed as it changes: each answer that takes longer moves it up by 19 steps, each other
/// down by one. No samples are kept.
/// </summary>
sealed class LatencyQuantile
{
    const double Quantile = 0.95, Step = 0.2;   // of what it is: down by 1 in 100 with each, up by 19

    static readonly double Least = TimeSpan.FromMilliseconds(1).Ticks;

    double _ticks = TimeSpan.FromMilliseconds(50).Ticks;   // until something is known

    public TimeSpan Value => TimeSpan.FromTicks((long)Volatile.Read(ref _ticks));

    public void Add(TimeSpan latency)
    {
        var now = Volatile.Read(ref _ticks);
        var moved = now * (1 + Step * (latency.Ticks > now ? Quantile : Quantile - 1));
        Volatile.Write(ref _ticks, Math.Max(Least, moved));   // a race loses a sample, which matters to nobody
    }
}
