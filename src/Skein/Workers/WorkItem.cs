namespace Skein;

/// <summary>A job on its way: what was asked for, and who waits for it. It is completed exactly once, whatever happens to workers.</summary>
abstract class WorkItem
{
    /// <summary>What stays here while the job refers to it.</summary>
    public ReferenceList References { get; } = new();

    /// <summary>How often a worker was lost that had started it.</summary>
    public int Losses { get; set; }

    /// <summary>For traces: the activity in which the job was asked for, in W3C form; empty without one.</summary>
    public string Trace { get; init; } = System.Diagnostics.Activity.Current?.Id ?? "";

    /// <summary>When it was asked for (ticks of Stopwatch).</summary>
    public long EnqueuedAt { get; } = System.Diagnostics.Stopwatch.GetTimestamp();

    /// <summary>The worker that has it, and the slot it has there.</summary>
    public Worker? Worker { get; set; }

    public int Slot { get; set; }

    public abstract Job Job { get; }

    public abstract bool IsCompleted { get; }

    /// <summary>Takes the result from a message. Throws what reading throws; then it is not completed.</summary>
    public abstract void Succeed(GraphReader reader);

    public abstract void Fail(Exception error);

    public abstract void Cancel(CancellationToken token);
}

/// <summary>A job with a result, as a task.</summary>
sealed class WorkItem<TResult>(Job<TResult> job) : WorkItem
{
    readonly TaskCompletionSource<TResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Job Job => job;

    public Task<TResult> Completion => _completion.Task;

    public override bool IsCompleted => _completion.Task.IsCompleted;

    /// <summary>Runs the job here, on the calling thread: for places that share this process's memory.</summary>
    public async Task RunHereAsync()
    {
        try
        {
            _completion.TrySetResult(await job.InvokeAsync().ConfigureAwait(false));
        }
        catch (OperationCanceledException error)
        {
            _completion.TrySetCanceled(error.CancellationToken);
        }
        catch (Exception error)
        {
            _completion.TrySetException(error);
        }
    }

    public override void Succeed(GraphReader reader)
    {
        var result = reader.Read<TResult>();
        References.Clear();
        _completion.TrySetResult(result);
    }

    public override void Fail(Exception error)
    {
        References.Clear();
        if (error is OperationCanceledException cancelled)
            _completion.TrySetCanceled(cancelled.CancellationToken);
        else
            _completion.TrySetException(error);
    }

    public override void Cancel(CancellationToken token)
    {
        References.Clear();
        _completion.TrySetCanceled(token);
    }
}
