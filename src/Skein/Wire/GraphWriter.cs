namespace Skein;

/// <summary>Writes object graphs into a buffer of its own, one message after another.</summary>
sealed class GraphWriter(GraphSession session)
{
    readonly GraphSession _session = session;

    /// <summary>For surrogates: the connection that the message is for.</summary>
    public object? Context { get; set; }

    /// <summary>What was written since <see cref="Begin"/>, with the room reserved before it.</summary>
    public ReadOnlyMemory<byte> Written => _session is null ? default : throw new NotSupportedException();

    /// <summary>Starts a message, after some bytes that the caller fills in (a header).</summary>
    public void Begin(int reserved = 0) => throw new NotSupportedException($"{reserved} {_session}");

    /// <summary>Forgets the message that was begun, and what it added to the session.</summary>
    public void Abandon() => throw new NotSupportedException($"{_session}");

    /// <summary>Writes a value; several in a row share one numbering of objects.</summary>
    public void Write<T>(T value) => throw new NotSupportedException($"{value}");

    public void WriteByte(byte value) => throw new NotSupportedException($"{value}");

    public void WriteNumber(ulong value) => throw new NotSupportedException($"{value}");

    public void WriteText(string value) => throw new NotSupportedException($"{value}");

    public void WriteType(Type type) => throw new NotSupportedException($"{type}");
}
