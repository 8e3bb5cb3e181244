namespace Skein;

/// <summary>A program in an operating-system process: how it is stopped, and what is said of its end, whichever way it was started.</summary>
abstract class RunningProgram : Process<int>
{
    const int NoIntent = -1;

    readonly TaskCompletionSource<int> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _ended = new();
    readonly Lock _gate = new();
    Timer? _timeLimit;
    CancellationTokenRegistration _cancellation;
    ProcessState _state = ProcessState.Running;
    int _intent = NoIntent;
    Exception? _inputFailure, _streamFailure;

    protected RunningProgram(Place place, string id, ProgramStart program, ProcessOptions options)
    {
        Place = place;
        Id = id;
        Program = program;
        Options = options;
    }

    public sealed override string Id { get; }

    public sealed override Place Place { get; }

    public sealed override ProcessState State => _state;

    public sealed override Task<int> Completion => _completion.Task;

    public sealed override Task<Exit> Exited => _exited.Task;

    protected ProgramStart Program { get; }

    protected ProcessOptions Options { get; }

    /// <summary>The process itself, as soon as the system says so.</summary>
    protected abstract Task<ExitStatus> Ended { get; }

    /// <summary>The last lines of its standard error, as far as they went through our hands.</summary>
    protected abstract string LastErrors { get; }

    /// <summary>Whether it was killed because it held more memory than it may. Asked for after <see cref="ReleaseAsync"/>.</summary>
    protected virtual bool WasOutOfMemory => false;

    public sealed override Task StopAsync(TimeSpan? grace = null) =>
        StopAsync(grace is { } given ? TimeRange.Pause(given, nameof(grace)) : Options.Grace, ExitCause.Killed);

    public sealed override void Kill() => Kill(ExitCause.Killed);

    /// <summary>Asks it to end. False where there is no way to ask: then it is killed.</summary>
    protected abstract bool TryAskToEnd();

    /// <summary>Whether it has, as far as the system knows: a limit that is over a moment later is not why.</summary>
    protected abstract bool HasEnded { get; }

    /// <summary>Kills it, and all that it has started.</summary>
    protected abstract void KillTree();

    /// <summary>It has ended, and what it printed was taken: nothing of it is used any more. Begins when it has ended.</summary>
    protected abstract Task ReleaseAsync(Task drained);

    protected void Kill(ExitCause cause)
    {
        Interlocked.CompareExchange(ref _intent, (int)cause, NoIntent);
        KillTree();
    }

    /// <summary>Gives it what it is to read, as long as it runs.</summary>
    /// <param name="input">The other end of what it reads.</param>
    protected void Feed(Stream input) => _ = ProgramInput.FeedAsync(Program.StandardInput, input, OnInputFailure, _ended.Token);

    /// <summary>A stream that takes what it prints has failed: half of an output must not pass for the whole.</summary>
    protected void OnStreamFailure(Exception error)
    {
        Interlocked.CompareExchange(ref _streamFailure, error, null);
        Kill(ExitCause.Killed);
    }

    // Half of an input must not pass for the whole: it is killed before its input is closed.
    void OnInputFailure(Exception error)
    {
        if (Ended.IsCompleted)
            return;
        Interlocked.CompareExchange(ref _inputFailure, error, null);
        KillTree();
    }

    /// <summary>It runs: from now on its limits hold, and its end is told.</summary>
    /// <param name="drained">Completes when all that it printed was taken.</param>
    /// <param name="cancellation">Stops it.</param>
    protected void Follow(Task drained, CancellationToken cancellation)
    {
        if (Options.TimeLimit is { } time)
            _timeLimit = new(_ => _ = StopAsync(Options.Grace, ExitCause.TimedOut), null, time, Timeout.InfiniteTimeSpan);
        _cancellation = cancellation.UnsafeRegister(_ => _ = StopAsync(), null);
        _ = FinishAsync(drained);
    }

    async Task StopAsync(TimeSpan grace, ExitCause cause)
    {
        if (!HasEnded)
        {
            Change(ProcessEvent.AskedToStop);
            if (cause == ExitCause.TimedOut)
                Interlocked.CompareExchange(ref _intent, (int)cause, NoIntent);
            try
            {
                if (TryAskToEnd())
                    await Ended.WaitAsync(grace).ConfigureAwait(false);
                else
                    Kill(cause);
            }
            catch (TimeoutException)
            {
                Kill(cause);
            }
        }

        await _exited.Task.ConfigureAwait(false);
    }

    async Task FinishAsync(Task drained)
    {
        var status = await Ended.ConfigureAwait(false);
        _ = _ended.CancelAsync();   // what a source of the caller's does then runs on the pool, and may throw
        Change(ProcessEvent.Ended);
        if (_timeLimit is { } timer)
            await timer.DisposeAsync().ConfigureAwait(false);
        await _cancellation.DisposeAsync().ConfigureAwait(false);
        await ReleaseAsync(drained).ConfigureAwait(false);
        var exit = new Exit(Cause(status), status.Code, status.Signal, status.Use, LastErrors);
        if ((_streamFailure ?? InputFailure(status)) is { } failure)
            _completion.TrySetException(new IOException($"A stream that {Program.Program} was given has failed, so it was killed: {failure.Message}", failure));
        else if (exit.Cause is ExitCause.Returned)
            _completion.TrySetResult(status.Code);
        else
            _completion.TrySetException(exit.ToException(Id));
        _ = _completion.Task.Exception;   // observed: who only awaits Exited must not see it again on the finalizer's thread
        _exited.TrySetResult(exit);
    }

    // One that has ended by itself did not want the rest. Windows says -1 of one that was killed.
    Exception? InputFailure(ExitStatus status) => status is { Signal: 0, Code: >= 0 } ? null : _inputFailure;

    ExitCause Cause(ExitStatus status)
    {
        if (_intent != NoIntent)
            return (ExitCause)_intent;
        if (InputFailure(status) is not null)
            return ExitCause.Killed;
        if (WasOutOfMemory)
            return ExitCause.OutOfMemory;
        return status.Signal == 0 ? ExitCause.Returned : ExitCause.Signalled;
    }

    void Change(ProcessEvent happened)
    {
        lock (_gate)
            _state = _state.Next(happened);
    }
}
