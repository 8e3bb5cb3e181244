using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Values by name, bounded in number and bytes, that end when they are not used: a hash of names, and a list in order of use whose links
/// are numbers of slots. Not for several threads at once.
/// </summary>
/// <remarks>Slots come in blocks: growth copies none of them, and no room is kept for twice as many.</remarks>
sealed class LeastRecentlyUsed<T>(int maxCount, long maxBytes)
{
    const int BlockBits = 12, Block = 1 << BlockBits, None = -1;

    // What a value takes beside itself and the characters of its name: slot, entry of the hash, two headers of objects.
    const int Beside = 160;

    // A value may have another time-out than its neighbours: so many slots are looked at with each change, wherever they are in the list.
    const int LookedAt = 4;

    readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    readonly List<Slot[]> _blocks = [];
    int _first = None, _last = None, _free = None, _used, _looked;

    /// <summary>Told of each value that goes without having been removed.</summary>
    public Action<string, T, SessionEnd>? Ended { get; init; }

    public int Count => _slots.Count;

    public long Bytes { get; private set; }

    /// <summary>Finds a value and makes it the one used last.</summary>
    /// <param name="now">Milliseconds on the clock that all calls use.</param>
    public ref T Use(string name, long now)
    {
        if (!_slots.TryGetValue(name, out var number))
            return ref Unsafe.NullRef<T>();
        ref var slot = ref At(number);
        if (slot.Expires <= now)
        {
            End(number, SessionEnd.Expired);
            return ref Unsafe.NullRef<T>();
        }

        slot.Expires = Math.Min(now + slot.Idle, slot.Latest);
        if (number != _last)
        {
            Unlink(ref slot);
            Append(number, ref slot);
        }

        return ref slot.Value;
    }

    /// <summary>Puts a value there, in the place of an older one, and makes room for it.</summary>
    /// <param name="idle">It ends when it is not used for so many milliseconds.</param>
    /// <param name="latest">When it ends in any case.</param>
    public void Set(string name, T value, int size, long now, long idle, long latest)
    {
        Expire(now);
        size += name.Length * sizeof(char) + Beside;
        if (_slots.TryGetValue(name, out var number))
        {
            ref var old = ref At(number);
            Bytes -= old.Size;
            Unlink(ref old);
        }
        else
        {
            number = Take();
            _slots.Add(name, number);
        }

        ref var slot = ref At(number);
        (slot.Name, slot.Value, slot.Size, slot.Idle, slot.Latest, slot.Expires) = (name, value, size, idle, latest, Math.Min(now + idle, latest));
        Bytes += size;
        Append(number, ref slot);
        while (_first != number && (Count > maxCount || Bytes > maxBytes))
            End(_first, SessionEnd.Evicted);
    }

    /// <summary>Changes how long a value may go unused from its next use on.</summary>
    public void SetIdle(string name, long idle)
    {
        if (_slots.TryGetValue(name, out var number))
            At(number).Idle = idle;
    }

    /// <summary>Whether a value is there that ends no earlier. Does not use it.</summary>
    public bool HasUntil(string name, long expires) => _slots.TryGetValue(name, out var number) && At(number).Expires >= expires;

    public bool Remove(string name, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (!_slots.TryGetValue(name, out var number))
            return false;
        value = At(number).Value;
        Free(number);
        return true;
    }

    /// <summary>Ends what has expired, as far as a few looks tell.</summary>
    public void Expire(long now)
    {
        while (_first != None && At(_first).Expires <= now)
            End(_first, SessionEnd.Expired);
        for (var i = 0; i < Math.Min(LookedAt, _used); i++)
        {
            _looked = _looked + 1 < _used ? _looked + 1 : 0;
            if (At(_looked) is { Name: not null } slot && slot.Expires <= now)
                End(_looked, SessionEnd.Expired);
        }
    }

    /// <summary>All of them, the least recently used first: name, value, milliseconds without use, and until the end in any case.</summary>
    public IEnumerable<(string Name, T Value, int Size, long Idle, long Expires, long Latest)> All()
    {
        for (var number = _first; number != None; number = At(number).Next)
            yield return Row(At(number));
    }

    static (string, T, int, long, long, long) Row(in Slot slot) => (slot.Name!, slot.Value, slot.Size - slot.Name!.Length * sizeof(char) - Beside, slot.Idle, slot.Expires, slot.Latest);

    void End(int number, SessionEnd why)
    {
        var (name, value) = (At(number).Name!, At(number).Value);
        Free(number);
        Ended?.Invoke(name, value, why);
    }

    ref Slot At(int number) => ref _blocks[number >> BlockBits][number & (Block - 1)];

    int Take()
    {
        if (_free != None)
        {
            var number = _free;
            _free = At(number).Next;
            return number;
        }

        if (_used == _blocks.Count * Block)
            _blocks.Add(new Slot[Block]);
        return _used++;
    }

    void Free(int number)
    {
        ref var slot = ref At(number);
        _slots.Remove(slot.Name!);
        Unlink(ref slot);
        Bytes -= slot.Size;
        slot = new() { Next = _free };   // holds on to nothing
        _free = number;
    }

    void Unlink(ref Slot slot)
    {
        (slot.Previous == None ? ref _first : ref At(slot.Previous).Next) = slot.Next;
        (slot.Next == None ? ref _last : ref At(slot.Next).Previous) = slot.Previous;
    }

    void Append(int number, ref Slot slot)
    {
        (slot.Previous, slot.Next) = (_last, None);
        (_last == None ? ref _first : ref At(_last).Next) = number;
        _last = number;
    }

    struct Slot
    {
        public string? Name;
        public T Value;
        public long Expires, Idle, Latest;
        public int Size, Previous, Next;
    }
}
