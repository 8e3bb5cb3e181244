namespace Skein.Tests.Handover;

/// <summary>The time of a model: it goes from one alarm to the next, and only when the model says so.</summary>
sealed class ModelTime : TimeProvider
{
    readonly List<Alarm> _alarms = [];
    DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(50);

    public override DateTimeOffset GetUtcNow() => _now;

    public bool HasAlarms => _alarms.Count > 0;

    /// <summary>A clock for each life of a node, so that what it has set does not ring after its end.</summary>
    public TimeProvider OfLife() => new LifeTime(this);

    public void Forget(TimeProvider life) => _alarms.RemoveAll(alarm => alarm.Life == life);

    public void RingNext()
    {
        var next = _alarms.MinBy(static alarm => alarm.Due)!;
        _alarms.Remove(next);
        _now = next.Due > _now ? next.Due : _now;
        next.Ring();
    }

    sealed class LifeTime(ModelTime time) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => time._now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var alarm = new Alarm(time, this, callback, state);
            alarm.Change(dueTime, period);
            return alarm;
        }
    }

    sealed class Alarm(ModelTime time, TimeProvider life, TimerCallback callback, object? state) : ITimer
    {
        public TimeProvider Life => life;

        public DateTimeOffset Due { get; private set; }

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = time._now + dueTime;
            if (dueTime != Timeout.InfiniteTimeSpan)
                time._alarms.Add(this);
            return true;
        }

        public void Dispose() => time._alarms.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
