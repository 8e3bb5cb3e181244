namespace Skein;

/// <summary>What of one closure is still to be written: what the functions read that lead to it.</summary>
sealed class ClosureNeeds
{
    readonly List<ClosureScan> _all = [];
    List<ClosureScan> _pending = [];

    /// <summary>True while its body waits to be written, so that more can be added to it.</summary>
    public bool IsQueued { get; set; }

    /// <summary>True when this asks for something new.</summary>
    public bool Add(ClosureScan scan)
    {
        if (_all.Contains(scan) || _all.Contains(ClosureScan.Everything))
            return false;
        _all.Add(scan);
        _pending.Add(scan);
        return true;
    }

    public List<ClosureScan> Take()
    {
        var taken = _pending;
        _pending = [];
        IsQueued = false;
        return taken;
    }
}
