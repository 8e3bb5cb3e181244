namespace Skein;

/// <summary>A process is a thread of its own in this process.</summary>
sealed class ThreadPlace : Place
{
    public override string ToString() => nameof(Thread);

    public override Task<Process<int>> StartProgramAsync(ProgramStart program, CancellationToken cancellation = default) =>
        throw new NotSupportedException($"A program is never a thread of this process: start {program.Program} in Place.OsProcess.");

    internal override Task<Worker> StartWorkerAsync(string id, IWorkerOwner owner, ProcessOptions options, CancellationToken cancellation)
    {
        Check(options);
        return Task.FromResult<Worker>(ThreadWorker.Start(id, owner));
    }

    internal override Task<Process<TResult>> StartAsync<TResult>(Job<TResult> job, ProcessOptions? options, CancellationToken cancellation)
    {
        job.RequireFunction();
        Check(options);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult<Process<TResult>>(new ThreadProcess<TResult>(this, job, (options ?? new()).Checked(), cancellation));
    }

    static void Check(ProcessOptions? options)
    {
        if (options is { MemoryLimit: not null } or { Niceness: not null } or { Processors: not null } or { WorkingDirectory: not null } or { Environment.Count: > 0 } or { OnOutput: not null } or { OnError: not null })
            throw new NotSupportedException("A thread shares memory, folder, environment, priority and standard streams with its process: Place.Thread cannot hold it to these options. Use Place.OsProcess.");
    }
}

/// <summary>A function that runs on a thread of its own; where it awaits, it goes on on the thread pool.</summary>
sealed class ThreadProcess<TResult> : Process<TResult>
{
    readonly CancellationTokenSource _stopping = new();
    readonly WorkItem<TResult> _item;
    readonly ProcessOptions _options;
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _gate = new();
    readonly CancellationTokenRegistration _cancellation;
    ProcessState _state = ProcessState.Starting;
    bool _timedOut;

    public ThreadProcess(Place place, Job<TResult> job, ProcessOptions options, CancellationToken cancellation)
    {
        Place = place;
        _options = options;
        _item = new(job);
        _cancellation = cancellation.UnsafeRegister(_ => _ = StopAsync(), null);
        new Thread(Run) { IsBackground = true, Name = $"skein-{Id}" }.Start();
    }

    public override string Id { get; } = ProcessIds.Next();

    public override Place Place { get; }

    public override int OsProcessId => Environment.ProcessId;

    public override ProcessState State => _state;

    public override MemoryLimitKind? MemoryLimitKind => null;

    public override Task<TResult> Completion => _item.Completion;

    public override Task<Exit> Exited => _exited.Task;

    public override async Task StopAsync(TimeSpan? grace = null)
    {
        if (_exited.Task.IsCompleted)
            return;
        Change(ProcessEvent.AskedToStop);
        AskToStop();
        try
        {
            await _exited.Task.WaitAsync(grace is { } given ? TimeRange.Pause(given, nameof(grace)) : _options.Grace).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new PlaceException(
                $"Process {Id} did not stop within its grace period, and a thread cannot be killed: it goes on, abandoned. " +
                "Run code that does not listen to Here.Stopping in Place.OsProcess.");
        }
    }

    public override void Kill() =>
        throw new PlaceException($"Process {Id} is a thread, which cannot be killed: ask it by StopAsync, or run it in Place.OsProcess.");

    public override void Signal(int signal) =>
        throw new PlaceException($"Process {Id} is a thread, which cannot get a signal of its own.");

    // What the function has registered with its token runs on the pool: it may throw, or not come back, and the limits hold all the same.
    void AskToStop() => _ = _stopping.CancelAsync();

    void Run()
    {
        Here.Enter(new(Id, _stopping.Token));
        Change(ProcessEvent.Started);
        if (_options.TimeLimit is { } limit)
            _ = TimeOutAsync(limit);
        _ = FinishAsync(_item.RunHereAsync());
    }

    async Task TimeOutAsync(TimeSpan limit)
    {
        using var ended = new CancellationTokenSource();
        if (await Task.WhenAny(_exited.Task, Task.Delay(limit, ended.Token)).ConfigureAwait(false) == _exited.Task)
        {
            await ended.CancelAsync().ConfigureAwait(false);
            return;
        }

        _timedOut = _item.TimedOut = true;
        AskToStop();
        if (await Task.WhenAny(_exited.Task, Task.Delay(_options.Grace, ended.Token)).ConfigureAwait(false) != _exited.Task)
            _item.Fail(new TimeoutException($"Process {Id} took longer than {limit}. It was asked to stop, and goes on, abandoned: a thread cannot be killed."));
        await ended.CancelAsync().ConfigureAwait(false);
    }

    async Task FinishAsync(Task run)
    {
        await run.ConfigureAwait(false);
        _cancellation.Unregister();   // a token that lives longer would keep all this
        Change(ProcessEvent.Ended);
        _exited.TrySetResult(new(_timedOut ? ExitCause.TimedOut : ExitCause.Returned, Completion.IsCompletedSuccessfully ? 0 : 1, 0, default, ""));
    }

    void Change(ProcessEvent happened)
    {
        lock (_gate)
            _state = _state.Next(happened);
    }
}
