namespace Skein.Tests.Mobility;

/// <summary>A clock that goes when it is told to.</summary>
sealed class SetTime : TimeProvider
{
    readonly List<Alarm> _alarms = [];
    DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan time)
    {
        _now += time;
        Alarm[] due;
        lock (_alarms)
        {
            due = [.. _alarms.Where(alarm => alarm.Due <= _now)];
            _alarms.RemoveAll(due.Contains);
        }
        foreach (var alarm in due)
            alarm.Ring();
    }

    public int Alarms
    {
        get
        {
            lock (_alarms)
                return _alarms.Count;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, _now + dueTime, () => callback(state));
        lock (_alarms)
            _alarms.Add(alarm);
        return alarm;
    }

    sealed class Alarm(SetTime clock, DateTimeOffset due, Action ring) : ITimer
    {
        public DateTimeOffset Due => due;

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose()
        {
            lock (clock._alarms)
                clock._alarms.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
