using System.Runtime.CompilerServices;

namespace Skein;

sealed partial class GraphWriter
{
    readonly KnownFunction[] _functions = new KnownFunction[64];
    Dictionary<object, ClosureNeeds>? _closures;   // of this message

    struct KnownFunction
    {
        public Delegate Function;
        public int Number, Epoch;
    }

    /// <summary>Writes the number of a function without state that was described before.</summary>
    public bool TryWriteKnownFunction(Delegate function)
    {
        ref var known = ref _functions[(RuntimeHelpers.GetHashCode(function) >> 2) & 63];
        if (ReferenceEquals(known.Function, function) && known.Epoch == session.Epoch)
        {
            WriteNumber((uint)known.Number + 2);
            return true;
        }
        if (session.Functions.Count == 0 || !session.Functions.TryFind(function, out var number))
            return false;
        known = new() { Function = function, Number = number, Epoch = session.Epoch };
        WriteNumber((uint)number + 2);
        return true;
    }

    /// <summary>A reference to a closure, of which only what these functions read is written.</summary>
    public void WriteClosure(object closure, ReadOnlySpan<ClosureScan> readers)
    {
        var needs = FindNeeds(closure) ?? AddNeeds(closure);
        var more = false;
        foreach (var scan in readers)
            more |= needs.Add(scan);
        if (_numbers.Find(closure, out var number))
        {
            if (more && !needs.IsQueued)
                WriteSupplement(closure, number, needs);
            else
                WriteNumber((uint)number + FirstNumber);
            return;
        }
        ref var cached = ref FindCodec(closure.GetType());
        Announce(cached.Codec.Modules, cached.Type);
        WriteByte(2);
        WriteClass(ref cached);
        needs.IsQueued = true;
        Enqueue(closure, cached.Codec);
    }

    /// <summary>What of a closure has to be written now: all of it when it was not reached by a function.</summary>
    public ClosureNeeds NeedsOf(object closure)
    {
        if (FindNeeds(closure) is { } needs)
            return needs;
        needs = AddNeeds(closure);
        needs.Add(ClosureScan.Everything);
        return needs;
    }

    ClosureNeeds? FindNeeds(object closure) => _closures is not null && _closures.TryGetValue(closure, out var needs) ? needs : null;

    ClosureNeeds AddNeeds(object closure)
    {
        var needs = new ClosureNeeds();
        (_closures ??= new(ReferenceEqualityComparer.Instance)).Add(closure, needs);
        return needs;
    }

    /// <summary>A closure that only functions led to so far is now reached otherwise: all of it is needed. True when that is to be said.</summary>
    bool IsMoreOfClosure(object value, out ClosureNeeds? needs) =>
        (needs = FindNeeds(value)) is not null && needs.Add(ClosureScan.Everything) && !needs.IsQueued;

    void WriteSupplement(object closure, int number, ClosureNeeds needs)
    {
        WriteByte(3);
        WriteNumber((uint)number);
        needs.IsQueued = true;
        Enqueue(closure, Codec.For(closure.GetType()));
    }
}
