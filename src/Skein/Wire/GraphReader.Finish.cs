namespace Skein;

sealed partial class GraphReader
{
    readonly List<Waiting> _later = [];

    /// <summary>Whether <see cref="Finish"/> has something to do.</summary>
    public bool IsUnfinished => _later.Count > 0;

    /// <summary>Has <see cref="Finish"/> fill a collection.</summary>
    /// <param name="collection">The collection, still empty.</param>
    /// <param name="keys">Its keys, where there may be collections among them that wait too and are hashed by their contents; else null.</param>
    /// <param name="fill">Fills it.</param>
    public void Later(object collection, IEnumerable<object?>? keys, Action fill) => _later.Add(new(collection, keys, fill));

    /// <summary>
    /// Fills the collections whose keys are hashed or compared by the application's code. It may do and throw anything: call it where
    /// the function that gets the objects is called, before it. The next message must not have begun.
    /// </summary>
    public void Finish()
    {
        if (_later.Count == 0)
            return;
        var waiting = new Dictionary<object, Waiting>(ReferenceEqualityComparer.Instance);
        if (_later.Exists(static one => one.HasKeys))
        {
            foreach (var each in _later)
                waiting[each.Collection] = each;
        }
        var left = new Stack<Waiting>(_later);   // the last one is the first: what is inside of other collections was met later
        while (left.TryPeek(out var next))
        {
            if (next.TakeKeys() is { } keys)
            {
                foreach (var key in keys)
                {
                    if (key is not null && waiting.TryGetValue(key, out var inner))
                        left.Push(inner);   // filled before it is hashed, wherever it was met
                }
            }
            else
            {
                left.Pop().Fill();
            }
        }
        _later.Clear();
    }

    sealed class Waiting(object collection, IEnumerable<object?>? keys, Action fill)
    {
        IEnumerable<object?>? _keys = keys;
        Action? _fill = fill;

        public object Collection => collection;

        public bool HasKeys => _keys is not null;

        /// <summary>The first time only, so that collections which are keys of each other come to an end.</summary>
        public IEnumerable<object?>? TakeKeys()
        {
            var taken = _keys;
            _keys = null;
            return taken;
        }

        /// <summary>Once: a key of several collections is asked several times.</summary>
        public void Fill()
        {
            var once = _fill;
            _fill = null;
            once?.Invoke();
        }
    }
}
