namespace Skein;

/// <summary>The tasks that wait for a worker, oldest first, and the callers that wait for room. Under the lock of its owner.</summary>
sealed class TaskQueue(int limit)
{
    readonly LinkedList<WorkItem> _items = new();
    readonly Queue<TaskCompletionSource> _callers = new();

    public int Count => _items.Count;

    public bool IsFull => _items.Count >= limit;

    public void Add(WorkItem item) => _items.AddLast(item);

    /// <summary>Tasks that were with a worker already are older than all that wait.</summary>
    public void Return(IReadOnlyList<WorkItem> items)
    {
        for (var i = items.Count - 1; i >= 0; i--)
            _items.AddFirst(items[i]);
    }

    /// <summary>The oldest that still has somebody waiting for it.</summary>
    public WorkItem? Take()
    {
        WorkItem? taken = null;
        while (taken is null && _items.First is { } first)
        {
            _items.RemoveFirst();
            taken = first.Value.IsCompleted ? null : first.Value;
        }

        // A caller that was woken may have found a worker and no need of the queue: so wake as many as there is room for.
        for (var room = limit - _items.Count; room > 0 && _callers.TryDequeue(out var caller); room--)
            caller.SetResult();
        return taken;
    }

    /// <summary>Completes when there may be room: the caller looks again.</summary>
    public Task Room()
    {
        var caller = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _callers.Enqueue(caller);
        return caller.Task;
    }

    /// <summary>Takes all out.</summary>
    public List<WorkItem> Clear()
    {
        List<WorkItem> all = [.. _items];
        _items.Clear();
        while (_callers.TryDequeue(out var caller))
            caller.SetResult();
        return all;
    }
}
