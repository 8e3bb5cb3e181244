using System.Diagnostics;

namespace Skein;

/// <summary>A job on its way: what was asked for, and who waits for it. It is completed exactly once, whatever happens to workers.</summary>
abstract class WorkItem
{
    CancellationTokenRegistration _cancellation;
    Exception? _handlerFailure;
    ReferenceList? _references;
    CancellationToken _cancelled;
    bool _isCancelled, _hasWaited;
    int _ended, _hold;

    /// <summary>What stays here while the job refers to it: most jobs refer to nothing, and many of them may wait. Made by who sends it.</summary>
    public ReferenceList References => _references ??= new();

    /// <summary>By which its reports are delivered; null when it makes none. Its end comes after them, the same way.</summary>
    public OrderedQueue? Reports => _references?.Reports;

    /// <summary>For traces: the activity in which the job was asked for, in W3C form; empty without one.</summary>
    public string Trace { get; } = Activity.Current?.Id ?? "";

    /// <summary>The span of the task on this side.</summary>
    public Activity? Activity { get; init; }

    /// <summary>When it was asked for (ticks of Stopwatch).</summary>
    public long EnqueuedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>It has found a worker. True the first time: it may come back.</summary>
    public bool HasWaited() => !Interlocked.Exchange(ref _hasWaited, true);

    /// <summary>The worker that has it, and the slot it has there.</summary>
    public Worker? Worker { get; set; }

    public int Slot { get; set; }

    /// <summary>It is for the worker that it was given to, and of no use in another.</summary>
    public bool IsBound { get; init; }

    /// <summary>It has brought along what belongs to one process at a time, and now to its worker: it cannot be sent to another one.</summary>
    public bool HandsOver { get; set; }

    /// <summary>Is told once, with true for a failure.</summary>
    public Action<bool>? OnEnd { get; set; }

    /// <summary>Stops it, because a handler of its caller's has thrown.</summary>
    public Action<WorkItem>? OnHandlerFailed { get; set; }

    /// <summary>How long it ran, in microseconds; known when it has completed.</summary>
    public ulong Cost { get; set; }

    /// <summary>Which item of a chunk ran when its worker was lost; -1: not known, or it is no chunk.</summary>
    public int LostAt { get; set; } = -1;

    /// <summary>It was asked to stop because it took too long.</summary>
    public bool TimedOut { get; set; }

    /// <summary>It was asked to stop because its pool was disposed of.</summary>
    public bool PoolDisposed { get; set; }

    /// <summary>The token that asked it to stop.</summary>
    public CancellationToken? Cancelled => Volatile.Read(ref _isCancelled) ? _cancelled : null;

    public abstract Job Job { get; }

    public abstract bool IsCompleted { get; }

    /// <summary>Takes the result from a message. Throws what reading throws; then it is not completed.</summary>
    public abstract void Succeed(GraphReader reader);

    /// <summary>Runs the job here, on the calling thread: for places that share this process's memory. Never fails.</summary>
    /// <param name="startItem">Is told which item of a chunk runs from now on.</param>
    public abstract Task RunHereAsync(Action<int>? startItem = null);

    /// <summary>It takes too long, and is asked to stop.</summary>
    /// <param name="chunkItem">Which item of a chunk that is; -1: it is no chunk, or at its begin.</param>
    public virtual void NoteTimedOut(int chunkItem) => TimedOut = true;

    /// <summary>It could not be sent. True when a part of it was at fault and has failed, and the rest is to be sent again.</summary>
    /// <param name="refusal">Why a job alone cannot be sent; null when it can.</param>
    public virtual bool TryGoOnWithout(Exception error, Func<Job, Exception?> refusal) => false;

    public abstract void Fail(Exception error);

    public abstract void Cancel(CancellationToken token);

    /// <summary>It is nobody's any more but a worker's. False where it was cancelled while it waited.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _hold, Hold.Taken, Hold.Waits) == Hold.Waits;

    /// <summary>It waits again. False where it was cancelled meanwhile.</summary>
    public bool TryReturn()
    {
        Worker = null;
        Interlocked.Exchange(ref _hold, Hold.Waits);
        return Cancelled is not { } token || !TryCancel(token);
    }

    /// <summary>Its caller does not want it any more. True where it waited: then it is cancelled. Else whoever has it finds that in <see cref="Cancelled"/>.</summary>
    public bool TryCancel(CancellationToken token)
    {
        _cancelled = token;
        Volatile.Write(ref _isCancelled, true);
        if (Interlocked.CompareExchange(ref _hold, Hold.GivenUp, Hold.Waits) != Hold.Waits)
            return false;
        Cancel(token);
        return true;
    }

    static class Hold
    {
        public const int Waits = 0, Taken = 1, GivenUp = 2;
    }

    /// <summary>Its worker is gone. True when it shall be tried again: it may be lost so many times more. Else it has failed.</summary>
    public abstract bool Lose(int losses, Exception error);

    /// <summary>A handler of the caller's has thrown, which it called: it is stopped, and fails with that however it ends.</summary>
    public void FailByHandler(Exception error)
    {
        if (IsCompleted)
            HandlerFailures.Tell("progress", error);
        else if (Interlocked.CompareExchange(ref _handlerFailure, error, null) is null)
            OnHandlerFailed?.Invoke(this);
    }

    /// <summary>What a handler of the caller's threw; null when none did.</summary>
    protected Exception? HandlerFailure => Volatile.Read(ref _handlerFailure);

    /// <summary>Fails it when its reports so far have been delivered.</summary>
    public void FailAfterReports(Exception error)
    {
        if (Reports is { } reports)
            reports.Add(() => Fail(error));
        else
            Fail(error);
    }

    /// <summary>Follows the caller's token as long as the job is not done.</summary>
    public void Follow(Action<WorkItem, CancellationToken> cancel, CancellationToken token)
    {
        _cancellation = token.UnsafeRegister(_ => cancel(this, token), null);
        Interlocked.MemoryBarrier();   // either its end sees the registration, or this sees the end
        if (Volatile.Read(ref _ended) != 0)
            _cancellation.Unregister();
    }

    /// <summary>What its end means when somebody had asked for it: a time-out or a cancellation is what the caller knows of.</summary>
    protected Exception Explain(Exception error) => Explain(error, TimedOut);

    /// <inheritdoc cref="Explain(Exception)"/>
    protected Exception Explain(Exception error, bool timedOut) => HandlerFailure ?? (error, timedOut, Cancelled) switch
    {
        (OperationCanceledException, true, _) => new TimeoutException("The task took longer than its time-out, and stopped when it was asked to.", error),
        (OperationCanceledException or ProcessLostException, _, null) when PoolDisposed =>
            new ObjectDisposedException("The pool was disposed of while the task ran, so it was stopped.", error),
        (_, _, { } token) when error is not CannotTravelException => new OperationCanceledException("The task was cancelled while it ran.", error, token),
        _ => error,
    };

    /// <summary>Fills what is hashed by the application's code; if that fails, the result cannot be had and the job has failed.</summary>
    protected bool TryFinish(GraphReader reader)
    {
        try
        {
            reader.Finish();
            return true;
        }
        catch (Exception error)
        {
            Fail(error);
            return false;
        }
    }

    /// <summary>It is not with a worker any more: what it refers to is free.</summary>
    public void DropReferences() => _references?.Clear();

    protected void End(bool failed)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        DropReferences();
        _cancellation.Unregister();
        OnEnd?.Invoke(failed);
        if (Activity is { } activity)
        {
            var around = Activity.Current;
            activity.SetStatus(failed ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
            activity.Stop();
            Activity.Current = around;   // not what its caller was in: whoever ends it has an activity of its own
        }
    }
}

/// <summary>A job with a result, as a task.</summary>
sealed class WorkItem<TResult>(Job<TResult> job) : WorkItem
{
    readonly TaskCompletionSource<TResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _losses;

    public override Job Job => job;

    public Task<TResult> Completion => _completion.Task;

    public override bool IsCompleted => _completion.Task.IsCompleted;

    public override async Task RunHereAsync(Action<int>? startItem = null)
    {
        try
        {
            var started = Stopwatch.GetTimestamp();
            var result = await job.InvokeAsync().ConfigureAwait(false);
            Cost = (ulong)Stopwatch.GetElapsedTime(started).TotalMicroseconds;
            End(failed: false);
            _completion.TrySetResult(result);
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    public override void Succeed(GraphReader reader)
    {
        var result = reader.Read<TResult>();
        reader.End();
        if (!TryFinish(reader))
            return;
        if (Reports is { } reports)
            CompleteAfter(reports, result);
        else
            Complete(result);
    }

    // Apart, for the closure.
    void CompleteAfter(OrderedQueue reports, TResult result) => reports.Add(() => Complete(result));

    void Complete(TResult result)
    {
        if (HandlerFailure is { } failure)
        {
            Fail(failure);
            return;
        }

        End(failed: false);
        _completion.TrySetResult(result);
    }

    public override void Fail(Exception error)
    {
        End(failed: true);
        var explained = Explain(error);
        if (explained is OperationCanceledException && HandlerFailure is null && Cancelled is { } token)
            _completion.TrySetCanceled(token);
        else
            _completion.TrySetException(explained);
    }

    public override void Cancel(CancellationToken token)
    {
        End(failed: true);
        _completion.TrySetCanceled(token);
    }

    public override bool Lose(int losses, Exception error)
    {
        if (_losses++ < losses && Cancelled is null && HandlerFailure is null)
        {
            TimedOut = false;
            return true;
        }

        Fail(error);
        return false;
    }
}
