namespace Skein;

/// <summary>What a process waits for, in the order in which it began to.</summary>
struct WaitList
{
    IMobileWait? _first, _last;

    public readonly IMobileWait? First => _first;

    public readonly IMobileWait? Last => _last;

    public void Add(IMobileWait wait)
    {
        wait.Before = _last;
        if (_last is null)
            _first = wait;
        else
            _last.After = wait;
        _last = wait;
    }

    public void Remove(IMobileWait wait)
    {
        if (wait.Before is null)
            _first = wait.After;
        else
            wait.Before.After = wait.After;
        if (wait.After is null)
            _last = wait.Before;
        else
            wait.After.Before = wait.Before;
        wait.Before = wait.After = null;
    }
}
