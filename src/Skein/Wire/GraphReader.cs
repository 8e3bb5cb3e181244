namespace Skein;

/// <summary>Makes the objects that a <see cref="GraphWriter"/> wrote. Runs no constructor, callback or converter of theirs.</summary>
sealed class GraphReader(GraphSession session)
{
    readonly GraphSession _session = session;

    /// <summary>For surrogates: the connection that the message came by.</summary>
    public object? Context { get; set; }

    /// <summary>Starts on a message. The bytes must not change until it was read.</summary>
    public void Begin(byte[] buffer, int offset, int length) => throw new NotSupportedException($"{buffer} {offset} {length} {_session}");

    public T Read<T>() => throw new NotSupportedException();

    public byte ReadByte() => throw new NotSupportedException();

    public ulong ReadNumber() => throw new NotSupportedException();

    public string ReadText() => throw new NotSupportedException();

    public Type ReadType() => throw new NotSupportedException();
}
