namespace Skein;

/// <summary>The tasks that wait for a worker, oldest first, and behind them those that came when it was full. Under the lock of its owner.</summary>
sealed class TaskQueue(int limit)
{
    readonly Queue<WorkItem> _items = new();
    readonly Stack<WorkItem> _returned = new();   // before all of them
    readonly Queue<(WorkItem Item, TaskCompletionSource? Admitted)> _late = new();   // empty unless the queue is full
    int _cancelled;   // of them; nobody waits for these, and they take up room until they are looked for

    /// <summary>How many are in it; those that came when it was full are not.</summary>
    public int Count => _items.Count + _returned.Count;

    public bool IsFull => Count >= limit;

    public void Add(WorkItem item) => _items.Enqueue(item);

    /// <summary>One of them was given up. Not under the lock: the queue sees to it when room is needed.</summary>
    public void NoteCancelled() => Interlocked.Increment(ref _cancelled);

    /// <summary>Drops those that nobody waits for any more.</summary>
    public void DropCancelled()
    {
        if (Interlocked.Exchange(ref _cancelled, 0) == 0)
            return;
        WorkItem[] returned = [.. _returned.Where(static item => !item.IsCompleted)], items = [.. _items.Where(static item => !item.IsCompleted)];
        _returned.Clear();
        _items.Clear();
        Return(returned);   // it was listed from its top
        foreach (var item in items)
            _items.Enqueue(item);
        Admit();
    }

    /// <summary>Adds it as soon as there is room.</summary>
    /// <param name="isAwaited">Whether somebody wants to know when that was.</param>
    public Task AddLate(WorkItem item, bool isAwaited)
    {
        var admitted = isAwaited ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
        _late.Enqueue((item, admitted));
        return admitted?.Task ?? Task.CompletedTask;
    }

    /// <summary>Tasks that were with a worker already are older than all that wait.</summary>
    public void Return(IReadOnlyList<WorkItem> items)
    {
        for (var i = items.Count - 1; i >= 0; i--)
            _returned.Push(items[i]);
    }

    /// <summary>The oldest that still has somebody waiting for it.</summary>
    public WorkItem? Take()
    {
        WorkItem? taken;
        while ((_returned.TryPop(out taken) || _items.TryDequeue(out taken)) && taken.IsCompleted) { }
        Admit();
        return taken;
    }

    /// <summary>Takes all out.</summary>
    public List<WorkItem> Clear()
    {
        List<WorkItem> all = [.. _returned, .. _items, .. _late.Select(late => late.Item)];
        _returned.Clear();
        _items.Clear();
        while (_late.TryDequeue(out var late))
            late.Admitted?.SetResult();
        return all;
    }

    void Admit()
    {
        while (!IsFull && _late.TryDequeue(out var late))
        {
            if (!late.Item.IsCompleted)
                _items.Enqueue(late.Item);
            late.Admitted?.SetResult();
        }
    }
}
