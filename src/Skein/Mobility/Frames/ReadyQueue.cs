namespace Skein;

/// <summary>Those that can run, in order. The links are in the waiters themselves.</summary>
struct ReadyQueue
{
    Waiter? _first, _last;

    public readonly IEnumerable<Waiter> All
    {
        get
        {
            var first = _first;
            return Links();

            IEnumerable<Waiter> Links()
            {
                for (var waiter = first; waiter is not null; waiter = waiter.Next)
                    yield return waiter;
            }
        }
    }

    public void Enqueue(Waiter waiter)
    {
        if (_last is null)
            _first = waiter;
        else
            _last.Next = waiter;
        _last = waiter;
    }

    public Waiter? TryDequeue()
    {
        var waiter = _first;
        if (waiter is null)
            return null;
        _first = waiter.Next;
        if (_first is null)
            _last = null;
        waiter.Next = null;
        return waiter;
    }
}
