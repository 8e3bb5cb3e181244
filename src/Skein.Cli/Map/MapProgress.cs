namespace Skein.Cli;

/// <summary>What the displays show: counters that the jobs turn and nobody waits for.</summary>
sealed class MapProgress(int slots, long? total, JobRunner runner)
{
    readonly long _started = TimeProvider.System.GetTimestamp();
    readonly RunningJob?[] _running = new RunningJob?[slots];
    long _done;
    long _failed;
    long _skipped;
    long _stopped;

    /// <summary>Null while it is not known.</summary>
    public long? Total => total;

    public long Done => Interlocked.Read(ref _done);

    public long Failed => Interlocked.Read(ref _failed);

    public long Skipped => Interlocked.Read(ref _skipped);

    /// <summary>Jobs that ran when the run was stopped: neither done nor failed.</summary>
    public long Stopped => Interlocked.Read(ref _stopped);

    public long? Restarts => runner.Restarts;

    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_started);

    public IEnumerable<RunningJob> Running => _running.OfType<RunningJob>();

    /// <summary>Jobs per second since the start.</summary>
    public double Rate => Done / Math.Max(Elapsed.TotalSeconds, 0.001);

    /// <summary>By the rate so far; null where the number of inputs is not known or nothing is done yet.</summary>
    public TimeSpan? Remaining => Total is { } all && Done > 0 ? Elapsed / Done * Math.Max(0, all - Skipped - Done) : null;

    public void Start(int slot, Job job) => _running[slot] = new(job, TimeProvider.System.GetTimestamp());

    public void End(int slot, JobEnd end)
    {
        _running[slot] = null;
        if (end.Cause == JobCause.Stopped)
        {
            Interlocked.Increment(ref _stopped);
            return;
        }

        Interlocked.Increment(ref _done);
        if (!end.Succeeded)
            Interlocked.Increment(ref _failed);
    }

    public void Skip() => Interlocked.Increment(ref _skipped);
}

/// <summary>A job in execution and when it began.</summary>
sealed record RunningJob(Job Job, long Started)
{
    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(Started);
}
