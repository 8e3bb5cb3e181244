using System.Collections.Concurrent;

namespace Skein.Bench.Mobility;

/// <summary>What tasks go on by that stay on one thread: a queue, as that of a user interface. Here it is never empty before the end.</summary>
sealed class OneThread : SynchronizationContext
{
    readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _posted = new();

    /// <summary>Runs a function on this thread until its task has ended.</summary>
    public static T Run<T>(Func<Task<T>> function)
    {
        var (before, here) = (Current, new OneThread());
        SetSynchronizationContext(here);
        try
        {
            var task = function();
            while (!task.IsCompleted)
            {
                if (here._posted.TryDequeue(out var next))
                    next.Callback(next.State);
            }

            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue((d, state));
}
