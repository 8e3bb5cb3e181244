using System.Buffers.Binary;
using System.Text;

namespace Skein;

/// <summary>What a worker asks the store of sessions.</summary>
enum StoreCall : byte
{
    /// <summary>A session's bytes; using it begins its idle time again.</summary>
    Get,

    /// <summary>Puts bytes there.</summary>
    Set,

    /// <summary>Uses it without wanting its bytes.</summary>
    Touch,

    Remove,

    /// <summary>The key that cookies are signed with.</summary>
    Key,

    /// <summary>How many live, and how many bytes they take.</summary>
    Count,
}

/// <summary>
/// One call of the store as the body of a frame.
/// <code>
/// offset 0 call, u8   1 length of the name, u16   3 idle time, ms, i64   11 life, ms, i64   19 name, UTF-8   then the value
/// </code>
/// Little end first. An idle time or life of 0: as the store's options say. The answer's body is one byte, 1 where there was such a session,
/// and its bytes. A value that is too large is answered by 0 and the largest length, i32.
/// </summary>
readonly ref struct StoreRequest
{
    const int Header = 19;

    public StoreRequest(ReadOnlySpan<byte> body)
    {
        if (body.Length < Header || body.Length < Header + BinaryPrimitives.ReadUInt16LittleEndian(body[1..]))
            throw new InvalidDataException("The stream is damaged: a call of the store that is cut short.");
        var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(body[1..]);
        Call = (StoreCall)body[0];
        Idle = BinaryPrimitives.ReadInt64LittleEndian(body[3..]);
        Life = BinaryPrimitives.ReadInt64LittleEndian(body[11..]);
        Name = Encoding.UTF8.GetString(body.Slice(Header, nameLength));
        Value = body[(Header + nameLength)..];
        if (Call > StoreCall.Count || Idle < 0 || Life < 0)
            throw new InvalidDataException("The stream is damaged: no call of the store.");
    }

    public StoreCall Call { get; }

    public long Idle { get; }

    public long Life { get; }

    public string Name { get; }

    public ReadOnlySpan<byte> Value { get; }

    public static byte[] ToBytes(StoreCall call, string name, long idle = 0, long life = 0, ReadOnlySpan<byte> value = default)
    {
        var nameLength = Encoding.UTF8.GetByteCount(name);
        if (nameLength > ushort.MaxValue)
            throw new ArgumentException($"A name of {nameLength:N0} bytes, where {ushort.MaxValue:N0} is the most.", nameof(name));
        var body = new byte[Header + nameLength + value.Length];
        body[0] = (byte)call;
        BinaryPrimitives.WriteUInt16LittleEndian(body.AsSpan(1), (ushort)nameLength);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(3), idle);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(11), life);
        Encoding.UTF8.GetBytes(name, body.AsSpan(Header));
        value.CopyTo(body.AsSpan(Header + nameLength));
        return body;
    }
}
