namespace Skein;

/// <summary>Runs actions one after another, in order, on the thread pool: a caller's code that reports must not run on a thread of ours. They do not throw.</summary>
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

            action();
        }
    }
}
