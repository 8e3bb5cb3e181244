namespace Skein;

sealed partial class GraphReader
{
    readonly Dictionary<object, (object? Comparer, object? Second)> _expected = new(ReferenceEqualityComparer.Instance);

    /// <summary>A function without state that was described before.</summary>
    public Delegate Function(ulong number, Type type)
    {
        if (number >= (ulong)session.Functions.Count)
            throw Bad("a function that was not described");
        var function = session.Functions[(int)number];
        return function.GetType() == type ? function : throw Bad($"a function that is no {type}");
    }

    public void RememberFunction(Delegate function)
    {
        if (session.Functions.IsFull)
            throw Bad("too many functions");
        session.Functions.Append(function);
    }

    /// <summary>An empty collection whose items come with its body.</summary>
    public void Expect(object shell, object? comparer, object? second) => _expected.Add(shell, (comparer, second));

    public bool TryGetExpected(object shell, out object? comparer, out object? second)
    {
        var found = _expected.Remove(shell, out var parts);
        (comparer, second) = parts;
        return found;
    }
}
