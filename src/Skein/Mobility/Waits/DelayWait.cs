namespace Skein;

/// <summary>Waits until a moment, which stays the same wherever the process goes.</summary>
sealed class DelayWait(long due) : MobileWait<ValueTuple>
{
    /// <summary>A timer runs by the machine's clock for elapsed time: so often it looks at the clock for the time of day again, which may have been set.</summary>
    static readonly TimeSpan LookAgain = TimeSpan.FromHours(1);

    [Transient] ITimer? _timer;

    public override void Arm(Resident process)
    {
        var left = new TimeSpan(Math.Max(0, due - process.Node.Time.GetUtcNow().UtcTicks));
        if (left == TimeSpan.Zero)
            Succeed(default);
        else
            _timer = process.Node.Time.CreateTimer(static state => ((Due)state!).Send(), new Due(this, process), left < LookAgain ? left : LookAgain, Timeout.InfiniteTimeSpan);
    }

    public override void Disarm()
    {
        _timer?.Dispose();
        _timer = null;
    }

    sealed class Due(DelayWait wait, Resident process) : InboxItem
    {
        public void Send() => process.Post(this);

        public override void Apply(Resident resident)
        {
            if (wait.HasEnded || wait._timer is null)
                return;   // or another has taken its place
            wait.Disarm();
            wait.Arm(process);   // ends it, unless the clock was set back
        }
    }
}
