namespace Skein;

/// <summary>Counts what comes within a <see cref="Rate"/>.</summary>
sealed class RateGate(TimeProvider time)
{
    int _count;
    long? _pausedUntil;

    /// <summary>When what is counted now began.</summary>
    public long Began { get; private set; }

    /// <summary>How long the pause still lasts; null: there is none.</summary>
    public TimeSpan? Left => _pausedUntil is { } until && Until(until) is var left && left > TimeSpan.Zero ? left : null;

    /// <summary>Nothing of it matters any more.</summary>
    public bool IsOver(Rate rate) => Left is null && time.GetElapsedTime(Began) > rate.Per;

    /// <summary>Whether one more is let through. The first that is not begins the pause.</summary>
    public bool TryPass(Rate rate)
    {
        if (Left is not null)
            return false;
        if (_count == 0 || _pausedUntil is not null || time.GetElapsedTime(Began) >= rate.Per)
            (Began, _count, _pausedUntil) = (time.GetTimestamp(), 0, null);
        if (_count < rate.Count)
        {
            _count++;
            return true;
        }

        _pausedUntil = time.GetTimestamp() + (long)(rate.Pause.TotalSeconds * time.TimestampFrequency);
        return false;
    }

    /// <summary>The same where there may be no rate.</summary>
    public bool TryPassIf(Rate? rate) => rate is null || TryPass(rate);

    TimeSpan Until(long timestamp) => time.GetElapsedTime(time.GetTimestamp(), timestamp);
}
