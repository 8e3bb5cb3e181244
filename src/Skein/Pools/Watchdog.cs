using System.Diagnostics;

namespace Skein;

/// <summary>
/// Looks at the workers of a pool a few times in the shortest of its limits: tasks that take too long, workers that have grown too
/// large, workers that idle. It asks nobody: what runs and since when stands in memory that workers share with us.
/// </summary>
sealed class Watchdog : IAsyncDisposable
{
    const int WholeCall = -1;

    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(2);
    static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan MemoryInterval = TimeSpan.FromSeconds(1);

    // A busy machine may keep a worker from starting a call for so long.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly PoolOptions _options;
    readonly Dispatcher _dispatcher;
    readonly Supervisor _supervisor;
    readonly PoolMetrics _metrics;
    readonly ITimer _timer;
    readonly Dictionary<Worker, Seen> _seen = [];
    readonly Dictionary<Asked, long> _askedAt = [];
    readonly TimeProvider _time;
    long _memoryLookedAt;
    int _looking, _feeding;

    public Watchdog(PoolOptions options, Dispatcher dispatcher, Supervisor supervisor, PoolMetrics metrics)
    {
        _options = options;
        _time = options.TimeProvider;
        _memoryLookedAt = _time.GetTimestamp();
        _dispatcher = dispatcher;
        _supervisor = supervisor;
        _metrics = metrics;
        var shortest = new[] { options.TaskTimeout, options.Grace, options.IdleTimeout }.Min() ?? Longest;
        var interval = TimeSpan.FromTicks(Math.Clamp(shortest.Ticks / 16, Shortest.Ticks, Longest.Ticks));
        _timer = _time.CreateTimer(_ => Look(), null, interval, interval);
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    /// <summary>Asks a task to stop; its worker is killed when it has not after the grace period.</summary>
    public void AskToStop(WorkItem item)
    {
        if (item.Worker is not { } worker)
            return;
        Ask(new(worker, item, WholeCall));
    }

    void Ask(Asked asked)
    {
        lock (_askedAt)
            _askedAt.TryAdd(asked, _time.GetTimestamp());
        asked.Worker.AskToStop(asked.Item, asked.ChunkItem);
    }

    void Look()
    {
        if (Interlocked.Exchange(ref _looking, 1) != 0)
            return;
        try
        {
            var now = _time.GetTimestamp();
            foreach (var worker in _supervisor.All)
                LookAt(worker, now);
            foreach (var gone in _seen.Keys.Where(worker => worker.HasEnded).ToArray())
                _seen.Remove(gone);
            lock (_askedAt)
            {
                foreach (var done in _askedAt.Keys.Where(asked => asked.Item.IsCompleted || asked.Item.Worker != asked.Worker).ToArray())
                    _askedAt.Remove(done);
            }

            if (Interlocked.Exchange(ref _feeding, 1) == 0)
                ThreadPool.UnsafeQueueUserWorkItem(static watchdog => watchdog.FeedWorkers(), this, preferLocal: false);
            if (_options.SoftMemoryLimit is { } limit && _time.GetElapsedTime(_memoryLookedAt, now) > MemoryInterval)
            {
                _memoryLookedAt = now;
                foreach (var worker in _dispatcher.Workers.Where(worker => OperatingSystem.IsLinux() && ProcessUse.ResidentBytes(worker.ProcessId) > limit))
                    _ = _supervisor.ReplaceAsync(worker);
            }
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    // Apart: who feeds a worker may have to wait for it, until a limit ends that which is kept here.
    void FeedWorkers()
    {
        try
        {
            _dispatcher.Balance();
            _supervisor.Ensure();
            if (_dispatcher.Waiting > 0)
                _supervisor.Grow();
        }
        finally
        {
            Volatile.Write(ref _feeding, 0);
        }
    }

    void LookAt(Worker worker, long now)
    {
        var seen = _seen.TryGetValue(worker, out var before) ? before : new(null, -1, now, now, null);
        if (worker.Running is not { } running)
        {
            if (worker.Held > 0)
            {
                LookAtUnstarted(worker, seen, now);
                return;
            }

            if (seen.Item is not null || seen.TakenIn is not null)
                seen = new(null, -1, now, now, null);
            _seen[worker] = seen;
            if (_dispatcher.Workers.Count > _supervisor.Least && _supervisor.Wanted > _supervisor.Least &&
                _time.GetElapsedTime(seen.IdleSince, now) > _options.IdleTimeout)
            {
                _supervisor.Shrink(worker);
            }

            return;
        }

        // An item of a chunk has no start of its own: it is counted from when we first saw it, which is at most one look too late.
        if (seen.Item != running.Item || seen.ChunkItem != running.ChunkItem)
            seen = new(running.Item, running.ChunkItem, running.ChunkItem > 0 ? now : Before(now, running.StartedAt), now, null);
        _seen[worker] = seen;
        if (running.Item.IsBound)
            return;   // what prepares a worker is no task: it has no time-out
        if (_options.TaskTimeout is { } limit && _time.GetElapsedTime(seen.StartedAt, now) > limit)
            TimeOut(new(worker, running.Item, running.ChunkItem), now);
        else if (AskedSince(new(worker, running.Item, WholeCall)) is { } asked && _time.GetElapsedTime(asked, now) > _options.Grace)
            worker.Kill(ExitCause.Killed);
    }

    // Workers say by the machine's clock when they have started what they run; limits are by the pool's.
    long Before(long now, long startedAt) => now - (long)(Stopwatch.GetElapsedTime(startedAt).TotalSeconds * _time.TimestampFrequency);

    // A worker that has calls, starts none and reads on none is stopped, or has lost its senses. The calls go to another one: they have not
    // been started. By the machine's clock: it is the machine that may keep a worker waiting.
    void LookAtUnstarted(Worker worker, Seen seen, long now)
    {
        var taken = worker.TakenIn;
        if (seen.TakenIn != taken)
            _seen[worker] = new(null, -1, Stopwatch.GetTimestamp(), now, taken);
        else if (_options.TaskTimeout + _options.Grace is { } limit && _options.Grace != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(seen.StartedAt) > (limit > Patience ? limit : Patience))
            worker.Kill(ExitCause.TimedOut);
    }

    void TimeOut(Asked running, long now)
    {
        if (AskedSince(running) is not { } asked)
        {
            _metrics.TimedOut();
            running.Item.NoteTimedOut(running.ChunkItem);
            Ask(running);
        }
        else if (_time.GetElapsedTime(asked, now) > _options.Grace)
        {
            running.Worker.Kill(ExitCause.TimedOut);
        }
    }

    long? AskedSince(Asked running)
    {
        lock (_askedAt)
            return _askedAt.TryGetValue(running, out var since) ? since : null;
    }

    /// <summary>Who was asked to stop what. Another run of the same task is another matter, and so is the next item of a chunk.</summary>
    readonly record struct Asked(Worker Worker, WorkItem Item, int ChunkItem);

    /// <param name="TakenIn">Of a worker that has calls and runs none.</param>
    readonly record struct Seen(WorkItem? Item, int ChunkItem, long StartedAt, long IdleSince, long? TakenIn);
}
