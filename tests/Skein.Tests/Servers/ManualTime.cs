namespace Skein.Tests.Servers;

/// <summary>A clock that the test moves: durations by <see cref="Advance"/>, the clock on the wall also by <see cref="Jump"/>.</summary>
sealed class ManualTime : TimeProvider
{
    readonly List<Alarm> _alarms = [];
    TimeSpan _elapsed, _jumped;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero) + _elapsed + _jumped;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, callback, state);
        alarm.Change(dueTime, period);
        lock (_alarms)
            _alarms.Add(alarm);
        return alarm;
    }

    /// <summary>Somebody sets the clock on the wall.</summary>
    public void Jump(TimeSpan by) => _jumped += by;

    public void Advance(TimeSpan by)
    {
        _elapsed += by;
        Alarm[] alarms;
        lock (_alarms)
            alarms = [.. _alarms];
        foreach (var alarm in alarms)
            alarm.Ring();
    }

    sealed class Alarm(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan? _due;
        TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            (_due, _period) = (dueTime == Timeout.InfiniteTimeSpan ? null : time._elapsed + dueTime, period);
            return true;
        }

        public void Ring()
        {
            if (_due is not { } due || due > time._elapsed)
                return;
            _due = _period == Timeout.InfiniteTimeSpan ? null : time._elapsed + _period;
            callback(state);
        }

        public void Dispose()
        {
            lock (time._alarms)
                time._alarms.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
