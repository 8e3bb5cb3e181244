namespace Skein;

/// <summary>The pool refused a task because as many as it may hold wait already. The pool goes on; try again later, or take less.</summary>
public sealed class PoolFullException : InvalidOperationException
{
    internal PoolFullException(string pool, int limit)
        : base($"Pool {pool} refused the task: {limit} tasks wait already (PoolOptions.QueueLimit). Try again later, or let callers wait (QueueFullMode.Wait).") { }
}
