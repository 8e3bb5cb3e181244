namespace Skein;

/// <summary>Runs actions one after another, in order, on the thread pool: a caller's code that reports must not run on a thread of ours.</summary>
sealed class OrderedQueue
{
    readonly Queue<Action> _waiting = new();
    bool _running;

    public void Add(Action action)
    {
        lock (_waiting)
        {
            _waiting.Enqueue(action);
            if (_running)
                return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.Run(), this, preferLocal: false);
    }

    void Run()
    {
        while (true)
        {
            Action action;
            lock (_waiting)
            {
                if (!_waiting.TryDequeue(out action!))
                {
                    _running = false;
                    return;
                }
            }

            try
            {
                action();
            }
            catch (Exception error)
            {
                // As for a handler of Progress<T>: an unhandled exception of the caller's own code is the caller's to see.
                ThreadPool.QueueUserWorkItem(_ => System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error));
            }
        }
    }
}
