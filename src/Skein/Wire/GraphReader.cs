namespace Skein;

/// <summary>
/// Makes the objects that a <see cref="GraphWriter"/> wrote. Runs no constructor, callback, converter, <c>Equals</c> or
/// <c>GetHashCode</c> of theirs: what has to (a dictionary with the application's keys) waits for <see cref="Finish"/>.
/// </summary>
sealed partial class GraphReader(GraphSession session)
{
    object?[] _objects = new object?[64];   // null: its head is being read
    (object Value, Codec Codec)[] _queue = new (object, Codec)[32];
    int _count, _queued, _next, _depth;
    bool _draining;

    /// <summary>For surrogates: the connection that the message came by.</summary>
    public object? Context { get; set; }

    /// <summary>Where the modules of the message are; null where they are those that this process was started with.</summary>
    public ModuleSource? Modules { get; set; }

    /// <summary>Starts on a message. The bytes must not change until it was read.</summary>
    public void Begin(byte[] buffer, int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, WireLimits.MaxMessage);
        _ = buffer.AsSpan(offset, length);
        Clear();
        _buffer = buffer;
        _position = offset;
        _end = offset + length;
    }

    /// <summary>The value that one <see cref="GraphWriter.Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The bytes are not what a writer writes. The session is no longer in step.</exception>
    /// <exception cref="ModuleVersionException">They speak of a module of which this process has another version.</exception>
    /// <exception cref="CannotArriveException">They need what this place lacks.</exception>
    public T Read<T>()
    {
        T value = default!;
        if (_draining)
        {
            Element<T>.Read(this, ref value);   // by a surrogate
            return value;
        }
        try
        {
            _draining = true;
            if (Element<T>.Modules.Length > 0 && ReadAnnouncements() != 0)
                throw Bad("a struct was expected");
            Element<T>.Read(this, ref value);
            while (_next < _queued)
            {
                var (item, codec) = _queue[_next++];
                codec.ReadBody(this, item);
            }
            _draining = false;
            return value;
        }
        catch (Exception e) when (e is not (InvalidDataException or ModuleVersionException or CannotArriveException))
        {
            // What the framework says about types, methods and values that do not fit each other has many names.
            throw Bad($"{e.GetType().Name}: {e.Message}", e);
        }
    }

    /// <summary>The message must end here.</summary>
    public void End()
    {
        if (_position != _end)
            throw Bad($"{_end - _position} bytes are left over");
        Array.Clear(_objects, 0, _count);
        _count = 0;
    }

    public object? ReadReference(Codec? declared)
    {
        var tag = ReadAnnouncements();
        Codec codec;
        switch (tag)
        {
            case 0:
                return null;
            case 1:
                codec = declared ?? throw Bad("an object of a class that cannot be");
                if (Modules is not null)
                    codec = Modules.CodecFor(codec.Type) ?? codec;
                break;
            case 2:
                codec = ReadClass();
                break;
            case 3:
                return ReadSupplement();
            default:
                return Known(tag - GraphWriter.FirstNumber);
        }
        var number = _count++;
        if (number == _objects.Length)
        {
            if (number >= WireLimits.MaxObjects)
                throw Bad("too many objects");
            Array.Resize(ref _objects, number * 2);
        }
        var slot = -1;
        if (codec.HasBody)
        {
            slot = _queued++;
            if (slot == _queue.Length)
                Array.Resize(ref _queue, slot * 2);
        }
        if (++_depth > WireLimits.MaxDepth)
            throw Bad("things are nested too deeply");
        var value = codec.ReadHead(this);
        _depth--;
        _objects[number] = value;
        if (slot >= 0)
            _queue[slot] = (value, codec);
        return value;
    }

    /// <summary>Reads the modules that a reference begins with; returns what follows.</summary>
    ulong ReadAnnouncements()
    {
        ulong tag;
        while ((tag = ReadNumber()) == 4)
            ReadModule();
        return tag;
    }

    object Known(ulong number)
    {
        if (number >= (ulong)_count)
            throw Bad("a reference to an object that is not there");
        return _objects[number] ?? throw Bad("a reference to an object that is being made");
    }

    object ReadSupplement()
    {
        var value = Known(ReadNumber());
        if (Codec.For(value.GetType()) is not ClosureCodec codec)
            throw Bad("more of an object that is not a closure");
        if (_queued == _queue.Length)
            Array.Resize(ref _queue, _queued * 2);
        _queue[_queued++] = (value, codec);
        return value;
    }

    void Clear()
    {
        if (_objects.Length > 1 << 14)
            _objects = new object?[64];
        else
            Array.Clear(_objects, 0, _count);
        if (_queue.Length > 1 << 14)
            _queue = new (object, Codec)[32];
        else
            Array.Clear(_queue, 0, _queued);
        _count = _queued = _next = _depth = 0;
        _draining = false;
        _expected.Clear();
        _later.Clear();
        _owed = 0;
    }

    public static InvalidDataException Bad(string what, Exception? inner = null) => new($"The message is damaged: {what}.", inner);
}
