namespace Skein;

/// <summary>A process of a node, as the program sees it that has started it.</summary>
sealed class NodeProcess<TResult> : Process<TResult>
{
    readonly GuestConnection _guest;
    readonly StartedProcess _started;
    readonly ProcessOptions _options;
    readonly TaskCompletionSource<TResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _ended = new();
    readonly CancellationTokenRegistration _cancellation;
    readonly Lock _gate = new();
    ProcessState _state = ProcessState.Running;
    bool _isLate;

    public NodeProcess(Place place, GuestConnection guest, StartedProcess started, ProcessOptions options, bool isHeard, CancellationToken cancellation)
    {
        (Place, _guest, _started, _options) = (place, guest, started, options);
        if (!isHeard)
            return;
        _cancellation = cancellation.UnsafeRegister(_ => _ = StopAsync(), null);
        if (options.TimeLimit is { } limit)
            _ = TimeOutAsync(limit);
        _ = FollowAsync();
    }

    public override string Id => _started.Id;

    public override Place Place { get; }

    public override int OsProcessId => _started.OsProcessId;

    public override ProcessState State => _state;

    public override MemoryLimitKind? MemoryLimitKind => null;

    public override Task<TResult> Completion => _completion.Task;

    public override Task<Exit> Exited => _exited.Task;

    public override Task StopAsync(TimeSpan? grace = null) => EndAsync(grace is { } given ? TimeRange.Pause(given, nameof(grace)) : _options.Grace);

    public override void Kill() => _ = _guest.EndAsync(Id, isForced: true);

    public override void Signal(int signal) =>
        throw new PlaceException($"Process {Id} is one of many of its node, and cannot get a signal of its own.");

    /// <summary>Of one that nobody wants to hear of.</summary>
    public ValueTask LeaveAsync() => _guest.DisposeAsync();

    async Task EndAsync(TimeSpan grace)
    {
        if (_exited.Task.IsCompleted)
            return;
        Change(ProcessEvent.AskedToStop);
        await _guest.EndAsync(Id, isForced: false).ConfigureAwait(false);
        try
        {
            await _exited.Task.WaitAsync(grace).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await _guest.EndAsync(Id, isForced: true).ConfigureAwait(false);
            await _exited.Task.ConfigureAwait(false);
        }
    }

    async Task TimeOutAsync(TimeSpan limit)
    {
        try
        {
            await Task.Delay(limit, _ended.Token).ConfigureAwait(false);
            _isLate = true;
            await EndAsync(_options.Grace).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // it ended in time
        }
    }

    async Task FollowAsync()
    {
        MobileOutcome outcome;
        try
        {
            outcome = await _guest.OutcomeAsync(Id).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            outcome = MobileOutcome.Failed(e);
        }
        var exit = ExitOf(outcome.Error);
        Change(ProcessEvent.Ended);
        await _ended.CancelAsync().ConfigureAwait(false);
        _cancellation.Unregister();
        Complete(outcome, exit);
        _exited.TrySetResult(exit);
        await _guest.DisposeAsync().ConfigureAwait(false);
    }

    void Complete(MobileOutcome outcome, Exit exit)
    {
        switch (outcome.Error)
        {
            case NodeNotConnectedException:
                _completion.TrySetException(new ProcessLostException(
                    $"How process {Id} ends is not heard here: node {_guest.Node}, where it was started, has ended. Where it had gone to another node it goes on: skein ps shows it, and skein attach {Id} follows it.", Id, exit));
                break;
            case NodeLostException:
                _completion.TrySetException(new ProcessLostException($"How process {Id} ends nobody can say any more: {outcome.Error.Message}", Id, exit));
                break;
            case ProcessKilledException:
                _completion.TrySetException(exit.ToException(Id));
                break;
            case OperationCanceledException when _isLate:
                _completion.TrySetException(new TimeoutException($"Process {Id} took longer than {_options.TimeLimit}, and stopped when it was asked to.", outcome.Error));
                break;
            case OperationCanceledException cancelled:
                _completion.TrySetCanceled(cancelled.CancellationToken);
                break;
            case { } error:
                _completion.TrySetException(error);
                break;
            default:
                _completion.TrySetResult(outcome is MobileOutcome<TResult> { Result: var result } ? result : (TResult)outcome.Value!);
                break;
        }
    }

    /// <summary>What it used is its node's.</summary>
    Exit ExitOf(Exception? error) => new(
        error switch
        {
            NodeLostException or NodeNotConnectedException => ExitCause.Lost,
            ProcessKilledException => _isLate ? ExitCause.TimedOut : ExitCause.Killed,
            _ => ExitCause.Returned,
        }, error is null ? 0 : 1, 0, default, "");

    void Change(ProcessEvent happened)
    {
        lock (_gate)
            _state = _state.Next(happened);
    }
}
