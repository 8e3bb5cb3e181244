namespace Skein;

/// <summary>What mobile processes have left behind at this node and reach from others. It is kept until its process has ended.</summary>
sealed class FastenedObjects
{
    readonly Dictionary<string, List<object>> _byProcess = [];

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_byProcess)
                return _byProcess.Values.Sum(static list => list.Count);
        }
    }

    /// <summary>Its number; the same each time.</summary>
    public int Add(string process, object value)
    {
        lock (_byProcess)
        {
            if (!_byProcess.TryGetValue(process, out var list))
                _byProcess.Add(process, list = []);
            var number = list.FindIndex(each => ReferenceEquals(each, value));
            if (number >= 0)
                return number;
            list.Add(value);
            return list.Count - 1;
        }
    }

    /// <summary>Null when the process has ended.</summary>
    public object? Find(string process, int number)
    {
        lock (_byProcess)
            return _byProcess.TryGetValue(process, out var list) && (uint)number < (uint)list.Count ? list[number] : null;
    }

    public void Release(string process)
    {
        lock (_byProcess)
            _byProcess.Remove(process);
    }
}

/// <summary>A process has ended: what it left at a node can go.</summary>
sealed class ReleaseRequest(string process) : NodeRequest<bool>
{
    protected override ValueTask<bool> RunAsync(MobileNode node)
    {
        node.Fastened.Release(process);
        return new(true);
    }
}
