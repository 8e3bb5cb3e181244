using System.Diagnostics;

namespace Skein;

/// <summary>
/// Gives tasks to workers: to an idle one at once, else to the first that has room. Short tasks are sent ahead, so that a worker finds
/// its next one without waiting for us; what was sent ahead and is not started can be taken back when another worker idles.
/// </summary>
/// <remarks>The lock is never held while a task is sent: sending a long argument waits for the worker.</remarks>
sealed class Dispatcher
{
    // As many tasks are sent ahead as keep a worker busy for about ten wake-ups: then the wake-ups do not matter any more.
    const double AheadMicroseconds = 300;
    const int MaxAhead = 32;

    // A task that runs longer than this loses nothing worth saving while it waits for its successor.
    const double LongMicroseconds = 10_000;

    // A task that costs less than this is worth looking for its result on the caller's thread.
    const double PollMicroseconds = 20;

    readonly PoolMetrics _metrics;
    readonly Lock _gate = new();
    readonly TaskQueue _queue;
    readonly bool _refuses;
    Worker[] _workers = [];   // replaced when it changes, under the lock; never written: whoever has read it may go on with it
    double _cost = double.MaxValue;   // of a task, in microseconds: a moving average; at first: do not send ahead
    SpinPolicy _spin = new();
    int _polling;
    Action<WorkItem>? _refuse;   // once it is closed

    public Dispatcher(PoolOptions options, PoolMetrics metrics)
    {
        _metrics = metrics;
        _queue = new(options.QueueLimit);
        _refuses = options.WhenFull == QueueFullMode.Refuse;
    }

    /// <summary>Asks a task to stop that a worker has.</summary>
    public Action<WorkItem> AskToStop { get; init; } = static item => item.Worker?.AskToStop(item);

    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                _queue.DropCancelled();
                return _queue.Count;
            }
        }
    }

    /// <summary>Those that get tasks.</summary>
    public IReadOnlyList<Worker> Workers => Serving;

    /// <summary>Tasks that were given to workers and have not ended.</summary>
    public int Held => Serving.Sum(worker => worker.Held);

    Worker[] Serving => Volatile.Read(ref _workers);

    bool IsServing(Worker worker) => Array.IndexOf(Serving, worker) >= 0;

    int Room(Worker worker) => worker is { GainsFromCallsAhead: true, IsOccupied: false } ? Ahead : 1;

    int Ahead => _cost < LongMicroseconds ? (int)Math.Clamp(AheadMicroseconds / _cost, 2, MaxAhead) : 1;

    /// <summary>Takes a task on. False when the queue is full, and tasks are refused then.</summary>
    /// <param name="isAwaited">Whether somebody looks at <paramref name="admitted"/>.</param>
    /// <param name="admitted">Completes when the task is in the queue, or with a worker.</param>
    public bool TryAdd(WorkItem item, bool isAwaited, out Task admitted)
    {
        admitted = Task.CompletedTask;
        Worker? worker;
        bool alone;
        lock (_gate)
        {
            worker = _queue.Count == 0 ? FindRoom(out alone) : Never(out alone);
            if (worker is null)
            {
                if (_queue.IsFull)
                    _queue.DropCancelled();
                if (!_queue.IsFull)
                    _queue.Add(item);
                else if (_refuses)
                    return false;
                else
                    admitted = _queue.AddLate(item, isAwaited);
                return true;
            }

            _ = item.TryTake();   // nobody else has it yet
            worker.BeginSending();
        }

        _metrics.Started(item);
        if (!TrySubmit(worker, item))
        {
            Requeue([item]);
            return true;
        }

        if (_queue.Count > 0)
            Feed(worker);   // what came meanwhile was not given to it, and nobody may be about to ask for more
        if (alone && _cost < PollMicroseconds)
            Poll(worker, item);
        return true;
    }

    /// <summary>Puts tasks back that have lost their worker, before all others.</summary>
    public void Requeue(IReadOnlyList<WorkItem> items)
    {
        if (items.Count == 0)
            return;
        Return(items);
        foreach (var worker in Serving)
        {
            if (worker.Held + worker.Sending == 0)   // any other asks for more when it has done what it holds
                Feed(worker);
        }
    }

    public void Add(Worker worker)
    {
        lock (_gate)
            Volatile.Write(ref _workers, [.. _workers, worker]);
        Feed(worker);
    }

    /// <summary>No more tasks for this worker. False when it was not one of ours any more.</summary>
    public bool Remove(Worker worker)
    {
        lock (_gate)
        {
            if (!IsServing(worker))
                return false;
            Volatile.Write(ref _workers, [.. _workers.Where(other => other != worker)]);
            return true;
        }
    }

    /// <summary>A worker has completed something: count what it cost, and give it more.</summary>
    public void OnRoom(Worker worker)
    {
        worker.IsOccupied = false;
        var cost = worker.CostOfLast + 1.0;
        if (worker.Completed > 0 && IsServing(worker))
            _cost = _cost == double.MaxValue ? cost : _cost + (cost - _cost) / 16;
        Feed(worker);
    }

    /// <summary>Gives a worker what it has room for; if nothing waits and it idles, what another one has not started.</summary>
    public void Feed(Worker worker)
    {
        var hasFailed = false;
        while (!worker.HasEnded)
        {
            WorkItem? item;
            lock (_gate)
            {
                if (!IsServing(worker) || !HasRoom(worker))
                    return;
                while ((item = _queue.Take()) is not null && !item.TryTake()) { }
                if (item is not null)
                    worker.BeginSending();
            }

            if (item is null)
            {
                if (worker.Held == 0)
                    Steal(worker);
                return;
            }

            _metrics.Started(item);
            if (!TrySubmit(worker, item))
            {
                Return([item]);
                if (worker.Held > 0 || hasFailed)
                    return;
                hasFailed = true;   // what it held has ended meanwhile, and nobody may be about to ask for more
            }
        }
    }

    /// <summary>Looks whether somebody idles while another one holds back what it has not started, and whether somebody is occupied for long. May wait for workers.</summary>
    public void Balance()
    {
        var serving = Serving;
        foreach (var worker in serving)
            worker.IsOccupied |= worker is { GainsFromCallsAhead: true, Running: { } running } && Stopwatch.GetElapsedTime(running.StartedAt).TotalMicroseconds > LongMicroseconds;
        foreach (var worker in serving)
        {
            if (worker.Held == 0)
                Feed(worker);
            else if (worker.IsOccupied && serving.Length > 1)
                TakeBack(worker);
        }
    }

    /// <summary>What a worker was sent and has not started is given to others.</summary>
    public void TakeBack(Worker worker)
    {
        if (worker.Held > 1)
            Requeue(worker.Unstarted().FindAll(item => item is { IsBound: false, HandsOver: false } && worker.TryRevoke(item)));
    }

    /// <summary>A task that may have waited was given up.</summary>
    public void NoteCancelled() => _queue.NoteCancelled();

    /// <summary>Refuses all that waits, and whatever comes back from now on.</summary>
    public void Close(Action<WorkItem> refuse)
    {
        List<WorkItem> waiting;
        lock (_gate)
        {
            _refuse = refuse;
            waiting = _queue.Clear();
        }

        foreach (var item in waiting)
            refuse(item);
    }

    void Return(IReadOnlyList<WorkItem> items)
    {
        items = [.. items.Where(static item => item.TryReturn())];
        Action<WorkItem>? refuse;
        lock (_gate)
        {
            refuse = _refuse;
            if (refuse is null)
                _queue.Return(items);
        }

        foreach (var item in refuse is null ? [] : items)
            refuse!(item);
    }

    // A call that is being sent may have a slot already, and be counted twice: what a worker holds at least is what counts.
    bool HasRoom(Worker worker) => Math.Max(worker.Held, worker.Sending) < Room(worker);

    // After Worker.BeginSending, by which others have seen that this one is taken.
    bool TrySubmit(Worker worker, WorkItem item)
    {
        bool isTaken;
        try
        {
            isTaken = worker.Submit(item);
        }
        finally
        {
            worker.EndSending();
        }

        if (!isTaken)
            return false;
        if (item.Cancelled is { } token && worker.TryRevoke(item))
            item.Cancel(token);
        else if (item.Cancelled is not null || (item.IsCompleted && !worker.TryRevoke(item)))
            AskToStop(item);   // given up between the queue and the worker, if it is still there at all
        return true;
    }

    Worker? FindRoom(out bool alone)
    {
        Worker? best = null;
        var (held, least) = (0, int.MaxValue);
        foreach (var worker in _workers)
        {
            held += worker.Held;
            var load = worker.Held + worker.Sending;
            if (!worker.HasEnded && load < least && HasRoom(worker))
                (best, least) = (worker, load);
        }

        alone = held == 0;
        return best;
    }

    static Worker? Never(out bool alone)
    {
        alone = false;
        return null;
    }

    void Steal(Worker idle)
    {
        Worker? richest = null;   // looked for after each burst of short tasks: nothing is allocated for it
        foreach (var worker in Serving)
        {
            if (worker != idle && worker.Held > Math.Max(1, richest?.Held ?? 0))
                richest = worker;
        }

        if (richest is null)
            return;
        var unstarted = richest.Unstarted().FindAll(item => item is { IsBound: false, HandsOver: false });
        foreach (var item in unstarted.TakeLast((unstarted.Count + 1) / 2))
        {
            if (!richest.TryRevoke(item))
                continue;
            idle.BeginSending();
            if (!TrySubmit(idle, item))
                Requeue([item]);
        }
    }

    // One caller at a time looks; the policy is theirs in turn.
    void Poll(Worker worker, WorkItem item)
    {
        if (Interlocked.Exchange(ref _polling, 1) != 0)
            return;
        worker.Poll(item, ref _spin);
        Volatile.Write(ref _polling, 0);
    }
}
