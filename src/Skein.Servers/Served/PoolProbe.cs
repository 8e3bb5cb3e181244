namespace Skein;

/// <summary>Finds out how long the thread pool has not run anything new: handlers that block starve it.</summary>
sealed class PoolProbe
{
    long _asked;

    /// <summary>Zero where the pool answers.</summary>
    public TimeSpan Delay => Volatile.Read(ref _asked) is not 0 and var asked ? TimeProvider.System.GetElapsedTime(asked) : TimeSpan.Zero;

    /// <summary>Asks, unless it is still waiting for an answer.</summary>
    public void Ask()
    {
        if (Interlocked.CompareExchange(ref _asked, TimeProvider.System.GetTimestamp(), 0) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static probe => Volatile.Write(ref probe._asked, 0), this, preferLocal: false);
    }
}
