namespace Skein;

/// <summary>A function that runs in a worker of its own.</summary>
sealed class OsProcess<TResult>(Place place, Job<TResult> job, ProcessOptions options) : Process<TResult>, IWorkerOwner
{
    readonly WorkItem<TResult> _item = new(job);
    readonly Lock _gate = new();
    readonly CancellationTokenSource _ended = new();
    Worker? _worker;
    Task<TResult>? _completion;   // null: the item's own
    Exception? _handlerFailure;
    ProcessState _state = ProcessState.Starting;
    CancellationTokenRegistration _cancellation;

    public override string Id { get; } = ProcessIds.Next();

    public override Place Place => place;

    public override int OsProcessId => Worker.ProcessId;

    public override ProcessState State => _state;

    public override MemoryLimitKind? MemoryLimitKind => Worker.MemoryLimitKind;

    public override Task<TResult> Completion => _completion ?? _item.Completion;

    public override Task<Exit> Exited => Worker.Exited;

    Worker Worker => _worker ?? throw new InvalidOperationException($"Process {Id} has not been started.");

    public async Task StartAsync(CancellationToken cancellation)
    {
        _worker = await place.StartWorkerAsync(Id, this, options, cancellation).ConfigureAwait(false);
        try
        {
            await _worker.Ready.WaitAsync(cancellation).ConfigureAwait(false);
            Change(ProcessEvent.Started);
            _item.OnHandlerFailed = StopFor;
            if (!_worker.Submit(_item))
                _item.Fail((await _worker.Exited.ConfigureAwait(false)).ToException(Id));   // its end came first, and knew of no call
            if (_item.Completion is { IsFaulted: true, Exception.InnerException: CannotTravelException refused })
                throw refused;
        }
        catch
        {
            _worker.Kill(ExitCause.Killed);
            await _worker.Exited.ConfigureAwait(false);
            throw;
        }

        if (options.OnOutput is not null || options.OnError is not null)
            _completion = CompleteAfterOutputAsync();
        if (Volatile.Read(ref _handlerFailure) is not null)
            StopFor(_item);   // a line came before there was a process to stop
        _worker.End();   // after its one call
        _cancellation = cancellation.UnsafeRegister(_ => _ = StopAsync(), null);
        if (_ended.IsCancellationRequested)
            _cancellation.Unregister();
        if (options.TimeLimit is { } limit)
            _ = TimeOutAsync(limit);
    }

    public override Task StopAsync(TimeSpan? grace = null) => StopAsync(grace is { } given ? TimeRange.Pause(given, nameof(grace)) : options.Grace, ExitCause.Killed);

    public override void Kill() => Worker.Kill(ExitCause.Killed);

    public override void Signal(int signal) => Worker.Signal(signal);

    public void OnRoom(Worker worker) { }

    public void OnHandlerFailed(Worker worker, Exception error)
    {
        if (options.OnOutput is null && options.OnError is null)
            HandlerFailures.Tell($"process {Id}", error);   // our own output cannot be written
        else if (Interlocked.CompareExchange(ref _handlerFailure, error, null) is null)
            _ = _worker is null ? Task.CompletedTask : StopAsync();
    }

    public void OnEnded(Worker worker, Exit exit, IReadOnlyList<WorkItem> victims, IReadOnlyList<WorkItem> unstarted)
    {
        Change(ProcessEvent.Ended);
        _ended.Cancel();
        _cancellation.Unregister();
        foreach (var item in victims.Concat(unstarted))
            item.Lose(0, exit.ToException(Id));
    }

    void StopFor(WorkItem item) => _ = StopAsync();

    // Who takes its lines has had them all when it has completed, and what goes wrong with that is its failure.
    async Task<TResult> CompleteAfterOutputAsync()
    {
        try
        {
            return await _item.Completion.ConfigureAwait(false);
        }
        finally
        {
            await Worker.Exited.ConfigureAwait(false);
            if (Volatile.Read(ref _handlerFailure) is { } failure)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    async Task StopAsync(TimeSpan grace, ExitCause cause)
    {
        if (!Worker.HasEnded)
        {
            Change(ProcessEvent.AskedToStop);
            Worker.AskToStop(_item);
            try
            {
                await Worker.Exited.WaitAsync(grace).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Worker.Kill(cause);
            }
        }

        await Worker.Exited.ConfigureAwait(false);
    }

    async Task TimeOutAsync(TimeSpan limit)
    {
        try
        {
            await Task.Delay(limit, _ended.Token).ConfigureAwait(false);
            _item.TimedOut = true;
            await StopAsync(options.Grace, ExitCause.TimedOut).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // it ended in time
        }
    }

    void Change(ProcessEvent happened)
    {
        lock (_gate)
            _state = _state.Next(happened);
    }
}
