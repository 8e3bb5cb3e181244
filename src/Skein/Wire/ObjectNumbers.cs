using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>Numbers objects by identity, in the order in which they are met.</summary>
sealed class ObjectNumbers
{
    /// <summary>So many are found by looking at each, which is cheaper than the hash code that a fresh object has to be given.</summary>
    const int Few = 8;

    object[] _objects = new object[64];
    int[] _slots = [];   // number + 1, or 0 for free; open addressing, at most half full
    int _count;

    public int Count => _count;

    /// <summary>True, and the number, when the object was met before; else it gets the next one.</summary>
    public bool Find(object value, out int number)
    {
        if (_count <= Few)
        {
            var objects = _objects;
            for (var i = 0; i < _count; i++)
            {
                if (ReferenceEquals(objects[i], value))
                {
                    number = i;
                    return true;
                }
            }
            number = _count;
            if (number == Few)
                BuildSlots(64);
            if (number < Few)
                _objects[_count++] = value;
            else
                Add(value);
            return false;
        }
        var mask = _slots.Length - 1;
        for (var i = RuntimeHelpers.GetHashCode(value) & mask; ; i = (i + 1) & mask)
        {
            var slot = _slots[i];
            if (slot == 0)
            {
                number = _count;
                _slots[i] = number + 1;
                Append(value);
                return false;
            }
            if (ReferenceEquals(_objects[slot - 1], value))
            {
                number = slot - 1;
                return true;
            }
        }
    }

    public void Clear()
    {
        Array.Clear(_objects, 0, _count);
        if (_objects.Length > 1 << 12)
        {
            _objects = new object[64];
            _slots = [];
        }
        else if (_count > Few)
        {
            Array.Clear(_slots);
        }
        _count = 0;
    }

    void Add(object value)
    {
        Place(value, _count + 1);
        Append(value);
    }

    void Append(object value)
    {
        if (_count == _objects.Length)
            Array.Resize(ref _objects, _count * 2);
        _objects[_count++] = value;
        if (_count * 2 > _slots.Length)
            BuildSlots(_slots.Length * 4);
    }

    void BuildSlots(int size)
    {
        if (_slots.Length < size)
            _slots = new int[size];
        for (var i = 0; i < _count; i++)
            Place(_objects[i], i + 1);
    }

    void Place(object value, int slot)
    {
        var mask = _slots.Length - 1;
        var i = RuntimeHelpers.GetHashCode(value) & mask;
        while (_slots[i] != 0)
            i = (i + 1) & mask;
        _slots[i] = slot;
    }
}
