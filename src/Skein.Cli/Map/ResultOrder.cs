namespace Skein.Cli;

/// <summary>
/// Hands results on in the order of their jobs' numbers, or as they come. A slow first job holds back only so many later ones: then no
/// further job starts until it has ended, so that input that never ends does not fill memory or disk with outputs that wait.
/// </summary>
sealed class ResultOrder(JobWriter writer, bool ordered)
{
    const int Window = 4096;

    readonly Lock _lock = new();
    readonly Dictionary<long, JobResult?> _waiting = [];
    long _next = 1;
    TaskCompletionSource? _moved;

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
    public void Flush()
    {
        lock (_lock)
        {
            foreach (var (_, result) in _waiting.OrderBy(pair => pair.Key))
                Write(result);
            _waiting.Clear();
        }
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
        if (result is null)
            return;
        writer.Write(result);
        result.Output.Dispose();
    }
}
