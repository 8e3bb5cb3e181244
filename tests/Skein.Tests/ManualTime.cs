namespace Skein.Tests;

/// <summary>A clock that the test moves: durations by <see cref="Advance"/>, the clock on the wall also by <see cref="Jump"/>. Only time stands still: processes are real.</summary>
sealed class ManualTime : TimeProvider
{
    readonly Lock _gate = new();
    readonly List<Alarm> _pending = [];
    TimeSpan _elapsed, _jumped;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How many wait for it.</summary>
    public int Alarms
    {
        get
        {
            lock (_gate)
                return _pending.Count;
        }
    }

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero) + Now + _jumped;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        return alarm;
    }

    /// <summary>Somebody sets the clock on the wall.</summary>
    public void Jump(TimeSpan by) => _jumped += by;

    public void Advance(TimeSpan by)
    {
        Alarm[] due;
        lock (_gate)
        {
            _elapsed += by;
            due = [.. _pending.Where(alarm => alarm.Due <= _elapsed)];
            foreach (var alarm in due)
                alarm.SetNext();
        }

        foreach (var alarm in due)
            alarm.Ring();
    }

    /// <summary>Waits until somebody waits once for at least so long; returns how long that is.</summary>
    public async Task<TimeSpan> NextDelay(TimeSpan atLeast)
    {
        TimeSpan? found = null;
        await Limits.Until(() =>
        {
            lock (_gate)
                found = _pending.Where(alarm => alarm.Period == Timeout.InfiniteTimeSpan && alarm.Due - _elapsed >= atLeast).Select(alarm => (TimeSpan?)(alarm.Due - _elapsed)).FirstOrDefault();
            return found is not null;
        }, "a pause");
        return found!.Value;
    }

    TimeSpan Now
    {
        get
        {
            lock (_gate)
                return _elapsed;
        }
    }

    sealed class Alarm(ManualTime time, Action ring) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public TimeSpan Period { get; private set; }

        public void Ring() => ring();

        /// <summary>Under the clock's lock.</summary>
        public void SetNext()
        {
            if (Period == Timeout.InfiniteTimeSpan)
                time._pending.Remove(this);
            else
                Due = time._elapsed + Period;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._pending.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                (Due, Period) = (time._elapsed + dueTime, period);
                time._pending.Add(this);
                return true;
            }
        }

        public void Dispose()
        {
            lock (time._gate)
                time._pending.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
