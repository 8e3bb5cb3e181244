namespace Skein.Cli;

/// <summary>
/// <code>
/// Inputs ──▶ slots (--jobs of them): JobRunner, again on failure ──▶ ResultOrder ──▶ JobWriter ──▶ standard output
///                                        │                                      └──▶ JobLog, when that is written
///                                        └──▶ HaltRule: start no more, or stop
/// </code>
/// A slot is a loop that takes an input, runs its job and takes the next; no thread waits for a job.
/// </summary>
sealed class MapRun(MapRequest request, Inputs inputs, JobRunner runner, ResultOrder results, JobLog? log, MapProgress progress) : IDisposable
{
    readonly CancellationTokenSource _startNoMore = new();
    readonly CancellationTokenSource _stop = new();
    readonly Lock _lock = new();
    int _failures;
    int _firstFailure;
    CommandFailure? _broken;

    /// <summary>No job is started any more; with <paramref name="now"/> the running ones are stopped as well.</summary>
    public void Halt(bool now)
    {
        _startNoMore.Cancel();
        if (now)
            _stop.Cancel();
    }

    /// <summary>Ends the running jobs without a grace period.</summary>
    public void Kill()
    {
        Halt(now: true);
        runner.Kill();
    }

    /// <summary>Runs everything to its end; the exit code.</summary>
    /// <exception cref="CommandFailure">The run was broken off. The outputs of what had ended are written, as far as they can be.</exception>
    public async Task<int> RunAsync()
    {
        await Task.WhenAll(Enumerable.Range(0, request.Jobs).Select(slot => Task.Run(() => SlotAsync(slot)))).ConfigureAwait(false);
        try
        {
            results.Flush();
        }
        catch (CommandFailure failure)
        {
            _broken ??= failure;
        }

        if (_broken is not null)
            throw _broken;
        return request.KeepGoing ? Math.Min(_failures, ExitCode.ManyFailed) : _firstFailure;
    }

    public void Dispose()
    {
        _startNoMore.Dispose();
        _stop.Dispose();
    }

    async Task SlotAsync(int slot)
    {
        try
        {
            while (!_startNoMore.IsCancellationRequested && await inputs.NextAsync(_startNoMore.Token).ConfigureAwait(false) is { } job)
            {
                var command = runner.Describe(job);
                if (log?.Skips(command) == true)
                {
                    progress.Skip();
                    results.Skip(job.Number);
                    continue;
                }

                await results.RoomForAsync(job.Number, _startNoMore.Token).ConfigureAwait(false);
                await RunAsync(slot, job, command).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_startNoMore.IsCancellationRequested)
        {
        }
        catch (CommandFailure failure)
        {
            Interlocked.CompareExchange(ref _broken, failure, null);
            Halt(now: true);
        }
        catch
        {
            Halt(now: true);   // nobody knows what it was: the other slots must not wait for what this one had
            throw;
        }
    }

    async Task RunAsync(int slot, Job job, string command)
    {
        var result = new JobResult(job, command, new());
        progress.Start(slot, job);
        do
        {
            result.Output.Reset();
            result.Started = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            result.End = await runner.RunAsync(job, result.Output, _stop.Token).ConfigureAwait(false);
            result.Duration = TimeProvider.System.GetElapsedTime(started);
            result.Tries++;
        }
        while (!result.End.Succeeded && result.Tries <= request.Retries && !_startNoMore.IsCancellationRequested);

        progress.End(slot, result.End);
        var hasFailed = result.End is { Succeeded: false, Cause: not JobCause.Stopped };
        if (hasFailed)
            Count(result.End);   // before its output is written: that waits where nobody reads
        results.Complete(result);
        if (hasFailed)
            Tell(result);
    }

    void Count(JobEnd failed)
    {
        lock (_lock)
        {
            if (_failures++ == 0)
                _firstFailure = failed.ExitCode;
            if (_failures == request.Halt.Failures)
                Halt(request.Halt.Now);
        }
    }

    static void Tell(JobResult failed)
    {
        var tries = failed.Tries > 1 ? $" ({failed.Tries} tries)" : "";
        Messages.Error($"job {failed.Job.Number}: {failed.End.Describe().TrimEnd('.')}{tries}: {TerminalText.Fit(failed.Command, 400)}");
    }
}
