using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Writes object graphs into a buffer of its own, one message after another. Not for several threads at once.
/// </summary>
/// <remarks>
/// Objects get numbers as they are met. Where a reference to a new one is written, its class and what is needed to allocate it follow at
/// once; its contents come later, in the order of meeting. So nothing is recursive (a list of a million nodes is fine), and cycles and
/// sharing need no special care.
/// </remarks>
sealed partial class GraphWriter(GraphSession session)
{
    readonly ObjectNumbers _numbers = new();
    readonly CachedCodec[] _cache = new CachedCodec[64];
    (object Value, Codec Codec)[] _queue = new (object, Codec)[32];   // contents still to be written
    Module? _announced;   // in this message, the last
    int _queued, _next, _depth;
    bool _draining;

    /// <summary>What is added to the number of an object in a reference to it.</summary>
    public const int FirstNumber = 5;

    struct CachedCodec
    {
        public Type Type;
        public Codec Codec;
        public int Number, Epoch;   // what the session calls its class, while that is in force
    }

    public GraphSession Session => session;

    /// <summary>Whether it remembers types that could be unloaded, if it did not.</summary>
    public bool HoldsCollectible { get; private set; }

    /// <summary>For surrogates: the connection that the message is for.</summary>
    public object? Context { get; set; }

    /// <summary>Starts a message, after some bytes that the caller fills in (a header).</summary>
    public void Begin(int reserved = 0)
    {
        session.Mark();
        Clear();
        TrimBuffer();
        Reserve(reserved).Clear();
    }

    /// <summary>Forgets the message that was begun, and what it added to the session. A write that throws has done so already.</summary>
    public void Abandon()
    {
        session.RollBack();
        Clear();
        TrimBuffer();
    }

    /// <summary>Writes a value and all that it refers to; several in a row share one numbering of objects.</summary>
    /// <exception cref="CannotTravelException">Something in it belongs to this process.</exception>
    /// <exception cref="MessageTooLargeException">The message is over <see cref="WireLimits.MaxMessage"/>.</exception>
    public void Write<T>(T value)
    {
        if (_draining)
        {
            Element<T>.Write(this, ref value);   // by a surrogate
            return;
        }
        try
        {
            _draining = true;
            AnnounceRoot<T>();
            Element<T>.Write(this, ref value);
            Drain();
            _draining = false;
        }
        catch (Refusal refusal)
        {
            Abandon();
            throw TravelPath.Explain(refusal, value);
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    void Drain()
    {
        while (_next < _queued)
        {
            var (value, codec) = _queue[_next++];
            codec.WriteBody(this, value);
        }
    }

    /// <summary>
    /// A reference: <c>0</c> null, <c>1</c> a new object of the declared class, <c>2</c> of another class, <c>3</c> more of a closure,
    /// <c>4</c> a module whose version matters for what follows, then the reference; else the number of an object that was met before, plus 5.
    /// </summary>
    public void WriteReference(object? value, Codec? declared)
    {
        if (value is null)
        {
            WriteByte(0);
            return;
        }
        if (_numbers.Find(value, out var number))
        {
            if (_closures is not null && IsMoreOfClosure(value, out var needs))
                WriteSupplement(value, number, needs!);
            else
                WriteNumber((uint)number + FirstNumber);
            return;
        }
        var type = value.GetType();
        Codec codec;
        if (declared is not null && type == declared.Type)
        {
            codec = declared;
            if (codec.Modules is { Length: > 0 } modules && (modules.Length > 1 || modules[0] != _announced))
                Announce(modules, type);
            WriteByte(1);
        }
        else
        {
            ref var cached = ref FindCodec(type);
            codec = cached.Codec;
            if (codec.Modules is { Length: > 0 } modules && (modules.Length > 1 || modules[0] != _announced))
                Announce(modules, type);
            WriteByte(2);
            WriteClass(ref cached);
        }
        if (codec.HasBody)
            Enqueue(value, codec);
        else if (declared is not null && codec is SurrogateCodec stays)
            stays.RequireFit(declared.Type, value);
        if (++_depth > WireLimits.MaxDepth)
            throw new Refusal(value, type, $"{SourceNames.Of(type)} is nested too deeply in things that must be whole before they can be made");
        codec.WriteHead(this, value);
        _depth--;
        if (number >= WireLimits.MaxObjects)
            throw new MessageTooLargeException(_position);
    }

    void Enqueue(object value, Codec codec)
    {
        if (_queued == _queue.Length)
            Array.Resize(ref _queue, _queued * 2);
        _queue[_queued++] = (value, codec);
    }

    ref CachedCodec FindCodec(Type type)
    {
        ref var cached = ref _cache[(RuntimeHelpers.GetHashCode(type) >> 3) & 63];
        if (cached.Type != type)
        {
            cached = new() { Type = type, Codec = Codec.For(type) };
            HoldsCollectible |= type.IsCollectible;
        }
        return ref cached;
    }

    void WriteClass(ref CachedCodec cached)
    {
        if (cached.Number > 0 && cached.Epoch == session.Epoch)
        {
            WriteNumber((uint)cached.Number);
            return;
        }
        cached.Number = WriteTypeNumber(cached.Codec.WireType);
        cached.Epoch = session.Epoch;
    }

    void Announce(Module[] modules, Type type)
    {
        foreach (var module in modules)
        {
            if (!session.Modules.TryFind(module, out _))
            {
                WriteByte(4);
                WriteModule(module, type);
            }
            _announced = module;
        }
    }

    /// <summary>The same before a struct that is not part of an object. A zero ends it.</summary>
    void AnnounceRoot<T>()
    {
        if (Element<T>.Modules.Length == 0)
            return;
        Announce(Element<T>.Modules, typeof(T));
        WriteByte(0);
    }

    void Clear()
    {
        _numbers.Clear();
        if (_queue.Length > 1 << 14)
            _queue = new (object, Codec)[32];
        else
            Array.Clear(_queue, 0, _queued);
        _queued = _next = _depth = 0;
        _draining = false;
        _closures = null;
        _announced = null;
        _lastLength = _position;
        _position = 0;
    }
}
