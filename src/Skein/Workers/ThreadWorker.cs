using System.Diagnostics;

namespace Skein;

/// <summary>A worker that is a thread of this process. It can be asked to stop, not killed: killing it abandons the thread.</summary>
sealed class ThreadWorker : Worker
{
    readonly IWorkerOwner _owner;
    readonly Queue<WorkItem> _queue = new();
    readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    WorkItem? _running;
    Func<Task>? _askToStop;
    long _startedAt;
    int _chunkItem = -1;
    bool _itemStopped, _callStopped;
    bool _ending, _ended;

    ThreadWorker(string id, IWorkerOwner owner)
    {
        Id = id;
        _owner = owner;
    }

    public override string Id { get; }

    public override int ProcessId => Environment.ProcessId;

    public override Task Ready => _ready.Task;

    public override Task<Exit> Exited => _exited.Task;

    public override bool HasEnded => _ended;

    public override int Held
    {
        get
        {
            lock (_queue)
                return _queue.Count + (_running is null ? 0 : 1);
        }
    }

    public override bool GainsFromCallsAhead => false;

    public override (WorkItem Item, long StartedAt, int ChunkItem)? Running
    {
        get
        {
            lock (_queue)
                return _running is { } item ? (item, _startedAt, Volatile.Read(ref _chunkItem)) : null;
        }
    }

    public static ThreadWorker Start(string id, IWorkerOwner owner)
    {
        var worker = new ThreadWorker(id, owner);
        new Thread(worker.Serve) { IsBackground = true, Name = $"skein-{id}" }.Start();
        return worker;
    }

    public override bool Submit(WorkItem item)
    {
        lock (_queue)
        {
            if (_ended || _ending)
                return false;
            item.Worker = this;
            _queue.Enqueue(item);
            Monitor.Pulse(_queue);
            return true;
        }
    }

    public override bool TryRevoke(WorkItem item)
    {
        lock (_queue)
        {
            if (!_queue.Contains(item))
                return false;
            var others = _queue.Where(each => each != item).ToArray();
            _queue.Clear();
            foreach (var other in others)
                _queue.Enqueue(other);
            item.Worker = null;
            return true;
        }
    }

    public override List<WorkItem> Calls()
    {
        lock (_queue)
            return _running is { } running ? [running, .. _queue] : [.. _queue];
    }

    public override List<WorkItem> Unstarted()
    {
        lock (_queue)
            return [.. _queue];
    }

    public override void AskToStop(WorkItem item, int chunkItem = -1)
    {
        Func<Task>? ask;
        lock (_queue)
        {
            if (_running != item)
                return;
            if (chunkItem < 0)
                _callStopped = true;
            else
                Interlocked.Exchange(ref _itemStopped, true);   // first the mark, then the look: either the next item sees the one, or this sees that it is the next
            ask = chunkItem < 0 || Volatile.Read(ref _chunkItem) == chunkItem ? _askToStop : null;
        }

        ask?.Invoke();
    }

    public override void End()
    {
        lock (_queue)
        {
            _ending = true;
            Monitor.Pulse(_queue);
        }
    }

    public override void Kill(ExitCause cause) => Finish(new(cause, -1, 0, default, ""));

    void Serve()
    {
        _ready.SetResult();
        while (Next() is { } item)
        {
            item.RunHereAsync(StartItem).GetAwaiter().GetResult();
            lock (_queue)
            {
                if (_ended)
                    return;   // abandoned: somebody else serves in its place
                Count(item);
                _running = null;
            }

            _owner.OnRoom(this);
        }

        Finish(new(ExitCause.Returned, 0, 0, default, ""));
    }

    WorkItem? Next()
    {
        lock (_queue)
        {
            WorkItem? item;
            while (!_queue.TryDequeue(out item))
            {
                if (_ending || _ended)
                    return null;
                Monitor.Wait(_queue);
            }

            _running = item;
            _chunkItem = -1;
            _callStopped = false;
            _startedAt = Stopwatch.GetTimestamp();
            RenewToken();
            return item;
        }
    }

    // What was asked of the item before is not asked of this one.
    void StartItem(int item)
    {
        Interlocked.Exchange(ref _chunkItem, item);
        if (!Volatile.Read(ref _itemStopped))
            return;
        lock (_queue)
        {
            if (!_callStopped)
                RenewToken();
        }
    }

    void RenewToken()
    {
        _itemStopped = false;
        var stopping = new CancellationTokenSource();
        _askToStop = stopping.CancelAsync;
        Here.Enter(new(Id, stopping.Token));
    }

    void Finish(Exit exit)
    {
        List<WorkItem> victims = [], unstarted = [];
        lock (_queue)
        {
            if (_ended)
                return;
            _ended = true;
            if (_running is { } running)
            {
                running.LostAt = _chunkItem;
                victims.Add(running);
            }

            unstarted.AddRange(_queue);
            _queue.Clear();
            Monitor.Pulse(_queue);
        }

        _owner.OnEnded(this, exit, victims, unstarted);
        _exited.TrySetResult(exit);
    }
}
