using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>Interrupts a handler that takes too long, and reports one that goes on after it was interrupted, or fails when it hears of it.</summary>
sealed class HandlerWatch(TimeSpan? limit, TimeSpan grace, TimeProvider time, ILogger logger, Func<string> what) : IDisposable
{
    readonly Lock _gate = new();
    ITimer? _limit, _grace;
    bool _isOver;

    /// <summary>What is to be interrupted begins now.</summary>
    public void Begin(Interruption interruption)
    {
        if (limit is not { } length)
            return;
        lock (_gate)
        {
            _limit ??= time.CreateTimer(_ => interruption.Interrupt(InterruptionCause.TimedOut), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _limit.Change(length, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>It was interrupted: it has the grace period to end.</summary>
    public void Expect(InterruptionCause? cause)
    {
        lock (_gate)
        {
            if (!_isOver)
                _grace ??= time.CreateTimer(_ => Report(cause), null, grace, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>It has listened.</summary>
    public void Relax()
    {
        lock (_gate)
        {
            _grace?.Dispose();
            _grace = null;
        }
    }

    /// <summary>Cancels a token of the handler. What the application has registered there may fail: that is reported, and costs nobody else.</summary>
    public void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The handler has ended in this moment.
        }
        catch (AggregateException error)
        {
            logger.CallbackFailed(what(), error);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
            _limit?.Dispose();
            _grace?.Dispose();
        }
    }

    void Report(InterruptionCause? cause)
    {
        lock (_gate)
        {
            if (_isOver || _grace is null)
                return;
        }

        InterruptionMeter.CountDeaf(cause);
        logger.Deaf(what(), grace, cause);
    }
}
