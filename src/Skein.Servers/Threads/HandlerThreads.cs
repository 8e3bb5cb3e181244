using System.Diagnostics.CodeAnalysis;

namespace Skein;

/// <summary>
/// The dispatcher: hands tasks to threads of its own, in order of arrival. Threaded, Dispatcher and Iterative are this with different
/// numbers.
/// </summary>
/// <remarks>
/// <code>
///  TryStart ──► an idle thread ──► a new one, if there may be more ──► the queue, if it has room ──► refused
/// </code>
/// The thread that has been idle longest is next, so that all get work; where threads come and go it is the one idle shortest, so that
/// those that are not needed end.
/// </remarks>
sealed class HandlerThreads : IDisposable
{
    static readonly TimeSpan Spare = TimeSpan.FromSeconds(10);   // to make a thread costs about 0.1 ms, to keep one some pages of stack

    readonly Lock _gate = new();
    readonly LinkedList<HandlerTask> _waiting = new();
    readonly LinkedList<HandlerThread> _idle = new();
    readonly SortedSet<int> _free = [];   // numbers of threads that have ended
    readonly bool _fixed;
    readonly ServerModel _model;
    readonly HandlerThread[] _all;   // where their number is fixed
    int _numbers, _count;
    long _unserved;
    bool _ended;

    public HandlerThreads(ServerModel model)
    {
        _model = model;
        _fixed = model.Threads < int.MaxValue;
        _all = [.. Enumerable.Range(1, _fixed ? model.Threads : 0).Select(number => new HandlerThread(this, number, first: null))];
        foreach (var thread in _all)
        {
            thread.Start();
            _idle.AddLast(thread.Idle);
            _count++;
        }
    }

    public TimeSpan IdleTimeout => _fixed ? Timeout.InfiniteTimeSpan : Spare;

    /// <summary>How many wait for a thread.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>How many threads run a handler.</summary>
    public int BusyCount
    {
        get
        {
            lock (_gate)
                return _count - _idle.Count;
        }
    }

    /// <summary>
    /// How much the threads have done, and how many tasks found none of them free; see <see cref="StallProbe"/>. Where threads have no bound both
    /// are nothing.
    /// </summary>
    public (long Moves, long Unserved, bool Waits) Progress()
    {
        lock (_gate)
            return (_all.Sum(thread => thread.Moves), _unserved, _waiting.Count > 0);
    }

    /// <summary>Gives a task to a thread or lets it wait for one; false when there is no room, or the server has ended.</summary>
    public bool TryStart(HandlerTask task)
    {
        HandlerThread? thread;
        var isNew = false;
        lock (_gate)
        {
            if (_ended)
                return false;
            thread = (_fixed ? _idle.First : _idle.Last)?.Value;
            if (thread is not null)
            {
                _idle.Remove(thread.Idle);
            }
            else if (!_fixed)
            {
                _count++;
                var number = _free.Count > 0 ? _free.Min : ++_numbers;
                _free.Remove(number);
                thread = new(this, number, task);
                isNew = true;
            }
            else if (_waiting.Count < _model.Queue)
            {
                _unserved++;
                _waiting.AddLast(task.Waiting);
                return true;
            }
            else
            {
                _unserved++;
                return false;
            }
        }

        if (!isNew)
        {
            thread.Assign(task);
            return true;
        }

        try
        {
            thread.Start();
            return true;
        }
        catch (OutOfMemoryException)
        {
            Forget(thread);   // the system gives no more threads: as when a queue is full
            return false;
        }
    }

    /// <summary>Takes a task back that still waits; false when a thread has it, or never had.</summary>
    public bool Withdraw(HandlerTask task)
    {
        lock (_gate)
        {
            if (task.Waiting.List is null)
                return false;
            _waiting.Remove(task.Waiting);
            return true;
        }
    }

    /// <summary>What a thread that is done does next; false when it is idle now, or is to end.</summary>
    public bool TakeNext(HandlerThread thread, [NotNullWhen(true)] out HandlerTask? next)
    {
        lock (_gate)
        {
            next = _waiting.First?.Value;
            if (next is not null)
                _waiting.RemoveFirst();
            else if (!_ended)
                _idle.AddLast(thread.Idle);
            if (next is not null || !_ended)
                return next is not null;
        }

        thread.End();
        return false;
    }

    /// <summary>A thread that was idle for long asks whether it may end; false when it was given a task meanwhile.</summary>
    public bool Retire(HandlerThread thread)
    {
        lock (_gate)
        {
            if (thread.Idle.List is null)
                return false;
            _idle.Remove(thread.Idle);
        }

        Forget(thread);
        return true;
    }

    /// <summary>Takes nothing more. Threads end when their handlers do; what waits is never started.</summary>
    public void Dispose()
    {
        HandlerThread[] idle;
        lock (_gate)
        {
            _ended = true;
            _waiting.Clear();
            idle = [.. _idle];
            _idle.Clear();
        }

        foreach (var thread in idle)   // outside of the lock: a thread that retires takes the two the other way round
            thread.End();
    }

    void Forget(HandlerThread thread)
    {
        lock (_gate)
        {
            _count--;
            _free.Add(thread.Number);
        }
    }
}
