using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Processes that are kept alive and fed with tasks.
/// <code>
/// await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 8, MemoryLimit = 256 &lt;&lt; 20, TaskTimeout = TimeSpan.FromSeconds(10) });
/// await foreach (var page in pool.MapUnorderedAsync(files, Pages.Render)) …      // a crash, a leak or a hang costs one page
/// </code>
/// </summary>
/// <remarks>
/// <code>
///   RunAsync, MapAsync ──► Dispatcher ──► Worker, Worker, …        (each with a connection of its own)
///                              ▲              │
///   Watchdog ── time-outs ─────┤              ▼
///   Supervisor ── replaces ────┴───────── OnEnded: victims fail, what was not started goes to another worker
/// </code>
/// <para>A worker's death fails the task that it ran, and no other; a task that takes too long is ended; nothing outlives the process
/// that started the pool.</para>
/// </remarks>
public sealed partial class WorkerPool : IAsyncDisposable, IWorkerOwner
{
    readonly PoolMetrics _metrics;
    readonly Dispatcher _dispatcher;
    readonly Supervisor _supervisor;
    readonly Watchdog _watchdog;
    readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Action<bool> _onEnd;
    readonly Action<WorkItem> _onHandlerFailed;
    long _accepted, _ended;
    int _disposing;

    WorkerPool(Place place, PoolOptions options)
    {
        Place = place;
        Options = options;
        _metrics = new(Id, () => WorkerCount, () => BusyCount, () => WaitingCount);
        _dispatcher = new(options, _metrics) { AskToStop = item => _watchdog!.AskToStop(item) };
        _supervisor = new(Id, place, options, _dispatcher, _metrics, this);
        _watchdog = new(options, _dispatcher, _supervisor, _metrics);
        _onEnd = OnTaskEnd;
        _onHandlerFailed = item => _watchdog.AskToStop(item);
    }

    /// <summary>Its name on this machine.</summary>
    public string Id { get; } = ProcessIds.Next();

    /// <summary>Where the workers run.</summary>
    public Place Place { get; }

    /// <summary>What it was started with.</summary>
    public PoolOptions Options { get; }

    /// <summary>How many workers serve tasks.</summary>
    public int WorkerCount => _dispatcher.Workers.Count;

    /// <summary>How many there may be, by <see cref="PoolOptions.Workers"/> or the last <see cref="Resize"/>.</summary>
    internal int MostWorkers => _supervisor.Most;

    /// <summary>How many of them run a task.</summary>
    public int BusyCount => _dispatcher.Workers.Count(worker => worker.Held > 0);

    /// <summary>How many tasks wait for a worker.</summary>
    public int WaitingCount => _dispatcher.Waiting;

    /// <summary>How many workers were started in all, spares included.</summary>
    public long StartedWorkers => _metrics.Restarts;

    /// <summary>The processes of the workers that live, spares included: for looking at them, not for ending them.</summary>
    public IReadOnlyList<int> WorkerProcessIds => [.. _supervisor.All.Where(worker => !worker.HasEnded).Select(worker => worker.ProcessId)];

    /// <summary>How the workers are held to their memory limit; null without one.</summary>
    public MemoryLimitKind? MemoryLimitKind => _supervisor.All is [var worker, ..] ? worker.MemoryLimitKind : null;

    /// <summary>
    /// Why the last worker that should have been started could not be; null when one was started since. A pool that cannot start workers
    /// goes on trying, with growing pauses, and its tasks wait.
    /// </summary>
    public Exception? LastFailure => _supervisor.LastFailure;

    /// <summary>Starts a pool; returns when its workers are ready.</summary>
    /// <exception cref="PlaceException">A worker could not be started: the message says why.</exception>
    public static async Task<WorkerPool> StartAsync(Place place, PoolOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(place);
        if (place is ThreadPlace && options?.SoftMemoryLimit is not null)
            throw new NotSupportedException("A thread shares its process's memory: a pool in Place.Thread cannot have a SoftMemoryLimit. Use Place.OsProcess.");
        var pool = new WorkerPool(place, (options ?? new()).Checked());
        try
        {
            await pool._supervisor.StartAsync(cancellation).ConfigureAwait(false);
            return pool;
        }
        catch
        {
            await pool.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Changes how many workers there are, while tasks run. Superfluous ones end when they have done what they hold.</summary>
    public void Resize(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ObjectDisposedException.ThrowIf(_disposing != 0, this);
        _supervisor.Resize(workers);
    }

    /// <summary>Completes when no task waits or runs.</summary>
    public async Task DrainAsync(CancellationToken cancellation = default)
    {
        while (Interlocked.Read(ref _ended) < Interlocked.Read(ref _accepted))
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Kills all workers at once, with all that they have started; also while <see cref="DisposeAsync"/> waits for them. The tasks that they
    /// run are lost. A pool that is not disposed of goes on with new ones.
    /// </summary>
    public void Kill()
    {
        foreach (var worker in _supervisor.All)
            worker.Kill(ExitCause.Killed);
    }

    /// <summary>
    /// Ends the pool: tasks that wait are cancelled, running ones are asked to stop and killed after the grace period. To let them end,
    /// await them (or <see cref="DrainAsync"/>) before.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposing, 1) != 0)
        {
            await _disposed.Task.ConfigureAwait(false);
            return;
        }

        _supervisor.Stop();
        FailWaiting();
        await _watchdog.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_supervisor.All.Select(EndAsync)).ConfigureAwait(false);
        await _supervisor.Settled.ConfigureAwait(false);
        _supervisor.Dispose();
        _metrics.Dispose();
        _disposed.TrySetResult();
    }

    void IWorkerOwner.OnRoom(Worker worker)
    {
        _dispatcher.OnRoom(worker);
        _supervisor.OnCompleted(worker);
    }

    void IWorkerOwner.OnHandlerFailed(Worker worker, Exception error)
    {
        LogHandlerFailed(Options.Logger, Id, worker.Id, error);
        var isOurs = Options.OnOutput is null && Options.OnError is null;   // our own output cannot be written: no fault of a task's
        if (!isOurs && worker.Running is { Item.IsBound: false } running)
            running.Item.FailByHandler(error);
        else
            HandlerFailures.Tell($"pool {Id}", error);
    }

    void IWorkerOwner.OnEnded(Worker worker, Exit exit, IReadOnlyList<WorkItem> victims, IReadOnlyList<WorkItem> unstarted)
    {
        var expected = exit is { Cause: ExitCause.Returned, Code: 0 } && victims.Count == 0;
        _supervisor.OnEnded(worker, expected);
        if (!expected && _disposing == 0)
            LogLost(Options.Logger, Id, worker.Id, exit.Describe());
        List<WorkItem> again = [];
        foreach (var item in unstarted)
        {
            if (item.IsBound || item.HandsOver)
                item.Fail(exit.ToException(worker.Id));
            else
                again.Add(item);
        }

        foreach (var item in victims)
        {
            item.PoolDisposed |= _disposing != 0 && exit.Cause == ExitCause.Killed;
            if (item.HandsOver)
            {
                item.Fail(exit.ToException(worker.Id));   // what it brought along is lost with the worker
                continue;
            }

            // Running out of memory may have been the fault of what ran before: once more, in a fresh worker.
            var losses = exit.Cause == ExitCause.OutOfMemory ? Math.Max(Options.Retries, Options.RetriesAfterMemory) : Options.Retries;
            if (item.Lose(_disposing == 0 && !item.IsBound ? losses : 0, exit.ToException(worker.Id)))
                again.Insert(0, item);
        }

        _dispatcher.Requeue(again);
    }

    /// <summary>Takes a job on.</summary>
    internal Task<TResult> RunAsync<TResult>(Job<TResult> job, CancellationToken cancellation)
    {
        job.RequireFunction();
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<TResult>(cancellation);
        var around = Activity.Current;
        var activity = PoolMetrics.StartActivity();
        var item = new WorkItem<TResult>(job) { Activity = activity };
        if (activity is not null)
            Activity.Current = around;
        return TryAdd(item, isAwaited: false, out _, cancellation) ? item.Completion : Task.FromException<TResult>(Disposed());
    }

    /// <summary>Takes an item on; completes when it is in the queue or with a worker, or has been cancelled.</summary>
    internal async ValueTask AddAsync(WorkItem item, CancellationToken cancellation)
    {
        if (!TryAdd(item, isAwaited: true, out var admitted, cancellation))
            throw Disposed();
        if (!admitted.IsCompleted)
            await admitted.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Takes an item on, or fails it because the queue is full. False where the pool was disposed of.</summary>
    bool TryAdd(WorkItem item, bool isAwaited, out Task admitted, CancellationToken cancellation)
    {
        admitted = Task.CompletedTask;
        if (_disposing != 0)
            return false;
        Interlocked.Increment(ref _accepted);
        item.OnEnd = _onEnd;
        item.OnHandlerFailed = _onHandlerFailed;
        var kind = Options.Spares > 0 ? item.Job : null;   // read as long as it is ours alone
        if (!_dispatcher.TryAdd(item, isAwaited, out admitted))
        {
            item.Fail(new PoolFullException(Id, Options.QueueLimit));
            return true;
        }

        if (_disposing != 0)
            FailWaiting();   // it may have come behind the others that were failed
        if (_supervisor.CanGrow && _dispatcher.Waiting > 0)
            _supervisor.Grow();
        if (kind is not null)
            _supervisor.Remember(kind);
        if (cancellation.CanBeCanceled && !item.IsCompleted)
            item.Follow(Cancel, cancellation);
        return true;
    }

    void FailWaiting() => _dispatcher.Close(item => item.Fail(Disposed()));

    void Cancel(WorkItem item, CancellationToken token)
    {
        if (item.TryCancel(token))
            _dispatcher.NoteCancelled();   // the queue drops it when it comes to it, or needs room
        else if (item.Worker?.TryRevoke(item) == true)
            item.Cancel(token);
        else
            _watchdog.AskToStop(item);   // one that is only being sent is looked at when it was
    }

    async Task EndAsync(Worker worker)
    {
        foreach (var item in worker.Calls())
        {
            if (worker.TryRevoke(item))
            {
                item.Fail(Disposed());
                continue;
            }
            item.PoolDisposed = true;
            worker.AskToStop(item);   // one that is being sent, or begins just now, too: it is asked when it begins
        }

        worker.End();
        try
        {
            await worker.Exited.WaitAsync(Options.Grace).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            worker.Kill(ExitCause.Killed);
            await worker.Exited.ConfigureAwait(false);
        }
    }

    ObjectDisposedException Disposed() => _supervisor.LastFailure is { } failure
        ? new($"Pool {Id} was disposed of before the task had ended; its workers could not be started: {failure.Message}", failure)
        : new(nameof(WorkerPool), $"Pool {Id} was disposed of before the task had ended.");

    void OnTaskEnd(bool failed)
    {
        Interlocked.Increment(ref _ended);
        _metrics.Ended(failed);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pool {Pool}: a handler of what worker {Worker} prints has thrown.")]
    static partial void LogHandlerFailed(ILogger logger, string pool, string worker, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pool {Pool}: worker {Worker} {What}")]
    static partial void LogLost(ILogger logger, string pool, string worker, string what);
}
