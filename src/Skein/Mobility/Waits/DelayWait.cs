namespace Skein;

/// <summary>Waits until a moment, which stays the same wherever the process goes.</summary>
sealed class DelayWait(long due) : MobileWait<ValueTuple>, IDescribed
{
    /// <summary>A timer runs by the machine's clock for elapsed time: so often it looks at the clock for the time of day again, which may have been set.</summary>
    static readonly TimeSpan LookAgain = TimeSpan.FromHours(1);

    [Transient] ITimer? _timer;
    [Transient] Resident? _process;   // the timer tells it; what is put into the inbox is made then, since many sleep for long

    public DateTime Due => new(due, DateTimeKind.Utc);

    public string Description => $"the time {Due:yyyy-MM-dd HH:mm:ss.fff}Z";

    public override void Arm(Resident process)
    {
        var left = new TimeSpan(Math.Max(0, due - process.Node.Time.GetUtcNow().UtcTicks));
        if (left == TimeSpan.Zero)
            Succeed(default);
        else
            _timer = (_process = process).Node.Time.CreateTimer(static wait => ((DelayWait)wait!).Elapse(), this, left < LookAgain ? left : LookAgain, Timeout.InfiniteTimeSpan);
    }

    public override void Disarm()
    {
        _timer?.Dispose();
        _timer = null;
    }

    void Elapse() => _process!.Post(new Elapsed(this));

    sealed class Elapsed(DelayWait wait) : InboxItem
    {
        public override void Apply(Resident resident)
        {
            if (wait.HasEnded || wait._timer is null)
                return;   // or another has taken its place
            wait.Disarm();
            wait.Arm(resident);   // ends it, unless the clock was set back
        }
    }
}
