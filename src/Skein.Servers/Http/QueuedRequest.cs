using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>
/// A request whose handler is run by a thread of the server, unless its client or its deadline is gone before that. Once that thread may have it nobody
/// else touches its context, which is for one thread at a time.
/// </summary>
sealed class QueuedRequest(RequestDelegate handler, HttpContext context, TimeProvider time, long arrival, TimeSpan? deadline) : HandlerTask, IDisposable
{
    readonly TaskCompletionSource<RequestFate> _fate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ExecutionContext? _caller = ExecutionContext.Capture();
    readonly CancellationToken _aborted = context.RequestAborted;
    CancellationTokenRegistration _gone;
    ITimer? _timer;

    /// <summary>Completes when the handler has; fails with what it threw.</summary>
    public Task<RequestFate> Completion => _fate.Task;

    /// <summary>From now on it leaves the queue when its client does, or when its deadline passes.</summary>
    public void Watch(HandlerThreads threads)
    {
        _gone = _aborted.UnsafeRegister(_ => Leave(threads, RequestFate.Gone), null);
        if (deadline is { } limit)
            _timer = time.CreateTimer(_ => Leave(threads, RequestFate.TooLate), null, Left(limit), Timeout.InfiniteTimeSpan);
    }

    public override Task RunAsync()
    {
        if (_aborted.IsCancellationRequested)
            _fate.SetResult(RequestFate.Gone);
        else if (deadline is { } limit && Left(limit) == TimeSpan.Zero)
            _fate.SetResult(RequestFate.TooLate);
        else
            return StartAsync();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _gone.Dispose();
        _timer?.Dispose();
    }

    TimeSpan Left(TimeSpan limit)
    {
        var left = limit - time.GetElapsedTime(arrival);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    void Leave(HandlerThreads threads, RequestFate fate)
    {
        if (threads.Withdraw(this))
            _fate.SetResult(fate);
    }

    Task StartAsync()
    {
        if (_caller is null)
            return RunHandlerAsync();
        Task? running = null;
        ExecutionContext.Run(_caller, _ => running = RunHandlerAsync(), null);   // what the request carries along: its trace, its accessor
        return running!;
    }

    async Task RunHandlerAsync()
    {
        try
        {
            await handler(context).ConfigureAwait(true);
            _fate.SetResult(RequestFate.Served);
        }
        catch (Exception error)
        {
            _fate.SetException(error);
        }
    }
}

/// <summary>What became of a request that had to wait for a thread.</summary>
enum RequestFate
{
    Served,
    Gone,
    TooLate,
}
