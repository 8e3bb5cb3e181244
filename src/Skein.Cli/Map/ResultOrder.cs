namespace Skein.Cli;

/// <summary>
/// Hands results on in the order of their jobs' numbers, or as they come: first the output is written, then the line of the log, so that no
/// resumed run skips a job whose output nobody has seen. A slow first job holds back only so many later ones: then no further job starts
/// until it has ended, so that input that never ends does not fill memory or disk with outputs that wait.
/// </summary>
sealed class ResultOrder(JobWriter writer, JobLog? log, bool ordered)
{
    const int Window = 4096;

    readonly Lock _lock = new();
    readonly Dictionary<long, JobResult?> _waiting = [];
    long _next = 1;
    TaskCompletionSource? _moved;
    bool _isBroken;

    /// <summary>Completes when a job of this number may start.</summary>
    public async ValueTask RoomForAsync(long number, CancellationToken cancellation)
    {
        while (ordered)
        {
            Task moved;
            lock (_lock)
            {
                if (number < _next + Window)
                    return;
                _moved ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                moved = _moved.Task;
            }

            await moved.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>A job has ended. Its output, and what waited for it, is written before this returns.</summary>
    /// <exception cref="CommandFailure">An output, or the log, cannot be written. After an output no other is.</exception>
    public void Complete(JobResult result)
    {
        lock (_lock)
        {
            if (ordered)
                Place(result.Job.Number, result);
            else
                Write(result);
        }
    }

    /// <summary>There will be no result of this number.</summary>
    public void Skip(long number)
    {
        lock (_lock)
        {
            if (ordered)
                Place(number, null);
        }
    }

    /// <summary>Writes what still waits for a job that will not end any more, in order.</summary>
    /// <exception cref="CommandFailure">As of <see cref="Complete"/>; for a log that cannot be written no output is left out.</exception>
    public void Flush()
    {
        CommandFailure? failed = null;
        lock (_lock)
        {
            foreach (var (_, result) in _waiting.OrderBy(pair => pair.Key))
            {
                try
                {
                    Write(result);
                }
                catch (CommandFailure failure)
                {
                    failed ??= failure;
                }
            }

            _waiting.Clear();
        }

        if (failed is not null)
            throw failed;
    }

    void Place(long number, JobResult? result)
    {
        if (number != _next)
        {
            _waiting.Add(number, result);
            return;
        }

        do
        {
            Write(result);
            _next++;
        }
        while (_waiting.Remove(_next, out result));

        _moved?.SetResult();
        _moved = null;
    }

    void Write(JobResult? result)
    {
        if (result is null || _isBroken)
            return;
        try
        {
            writer.Write(result);
        }
        catch
        {
            _isBroken = true;   // what came behind a part of an output would be taken for its rest
            throw;
        }

        if (result.End.Cause != JobCause.Stopped)
            log?.Write(result);
        result.Output.Dispose();
    }
}
