using System.Diagnostics.CodeAnalysis;

namespace Skein;

/// <summary>
/// Ordinary asynchronous code that may be stopped here and started again there. What travels is the function that starts it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The end of an attempt disposes of its source.")]
sealed class RestartableWait<T>(Func<CancellationToken, Task<T>> start) : MobileWait<T>, IDescribed
{
    [Transient] CancellationTokenSource? _attempt;   // null while none runs

    public string Description => "code that can be started again";

    public override void Arm(Resident process)
    {
        var attempt = _attempt = new();
        _ = RunAsync(process, attempt);
    }

    /// <summary>What finishes although it was asked to stop counts: what it has consumed is not lost.</summary>
    public override bool IsStopping()
    {
        if (_attempt is not { } attempt)
            return false;
        if (!attempt.IsCancellationRequested)
            _ = attempt.CancelAsync();
        return true;
    }

    public override void Resume(Resident process)
    {
        if (_attempt is null)
            Arm(process);
    }

    public override void Disarm()
    {
        _ = _attempt?.CancelAsync();
        _attempt = null;   // however it ends, it counts no more
    }

    async Task RunAsync(Resident process, CancellationTokenSource attempt)
    {
        try
        {
            var result = await Task.Run(() => start(attempt.Token), CancellationToken.None).ConfigureAwait(false);
            process.Post(new AttemptEnded(this, attempt, result, null));
        }
        catch (Exception e)
        {
            process.Post(new AttemptEnded(this, attempt, default!, e));
        }
    }

    sealed class AttemptEnded(RestartableWait<T> wait, CancellationTokenSource attempt, T result, Exception? error) : InboxItem
    {
        public override void Apply(Resident resident)
        {
            var wasStopped = attempt.IsCancellationRequested;
            attempt.Dispose();
            if (wait._attempt != attempt)
                return;
            wait._attempt = null;
            if (error is null)
                wait.Succeed(result);
            else if (!wasStopped)
                wait.Fail(error);
            else if (!resident.WantsToLeave)
                wait.Arm(resident);
        }
    }
}
