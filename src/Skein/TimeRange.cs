namespace Skein;

/// <summary>Checks times that are waited for: what a timer takes, and <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
static class TimeRange
{
    /// <summary>What a timer can wait for: 49 days.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>A limit; infinite is none.</summary>
    public static TimeSpan? Limit(TimeSpan? time, string name)
    {
        if (time is not { } limit || limit == Timeout.InfiniteTimeSpan)
            return null;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, name);
        return Bounded(limit, name);
    }

    /// <summary>A pause; infinite is as long as a timer can wait.</summary>
    public static TimeSpan Pause(TimeSpan time, string name)
    {
        if (time == Timeout.InfiniteTimeSpan)
            return Longest;
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
        return Bounded(time, name);
    }

    static TimeSpan Bounded(TimeSpan time, string name) => time <= Longest
        ? time
        : throw new ArgumentOutOfRangeException(name, time, "It is longer than a timer can wait (49 days): Timeout.InfiniteTimeSpan says that there is no limit.");
}
