namespace Skein;

/// <summary>Numbers things in the order in which they were described, up to <see cref="WireLimits.MaxDescriptions"/>.</summary>
sealed class Numbering<T> where T : notnull
{
    readonly List<T> _items = [];
    readonly Dictionary<T, int> _numbers = [];

    public int Count => _items.Count;

    public bool IsFull => _items.Count >= WireLimits.MaxDescriptions;

    public T this[int number] => _items[number];

    public bool TryFind(T item, out int number) => _numbers.TryGetValue(item, out number);

    /// <summary>For the writer, which looks things up.</summary>
    public int Add(T item)
    {
        _numbers.Add(item, _items.Count);
        _items.Add(item);
        return _items.Count - 1;
    }

    /// <summary>For the reader, which is told the numbers.</summary>
    public void Append(T item) => _items.Add(item);

    public bool Any(Predicate<T> condition) => _items.Exists(condition);

    public void Truncate(int count)
    {
        if (_numbers.Count > 0)
        {
            if (count == 0)
                _numbers.Clear();
            for (var i = count; i < _items.Count && count > 0; i++)
                _numbers.Remove(_items[i]);
        }
        _items.RemoveRange(count, _items.Count - count);
    }
}
