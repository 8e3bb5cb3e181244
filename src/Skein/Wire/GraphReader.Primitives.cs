using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Skein;

sealed partial class GraphReader
{
    byte[] _buffer = [];
    int _position, _end;
    long _owed;   // bytes that the contents of arrays take at least whose heads were read

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte ReadByte()
    {
        var at = _position;
        if (at >= _end)
            throw CutShort();
        _position = at + 1;
        return _buffer[at];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadNumber()
    {
        var first = ReadByte();
        return first < 0x80 ? first : ReadLongNumber(first);
    }

    ulong ReadLongNumber(byte first)
    {
        var value = (ulong)first & 0x7F;
        for (var shift = 7; ; shift += 7)
        {
            var next = ReadByte();
            if (shift == 63 && next > 1)
                throw Bad("a number is too long");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }

    public long ReadSigned()
    {
        var value = ReadNumber();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public int ReadInt32()
    {
        var value = ReadSigned();
        return (int)value == value ? (int)value : throw TooLarge();
    }

    public uint ReadUInt32()
    {
        var value = ReadNumber();
        return (uint)value == value ? (uint)value : throw TooLarge();
    }

    public short ReadInt16()
    {
        var value = ReadSigned();
        return (short)value == value ? (short)value : throw TooLarge();
    }

    public ushort ReadUInt16()
    {
        var value = ReadNumber();
        return (ushort)value == value ? (ushort)value : throw TooLarge();
    }

    public bool ReadBoolean() => ReadByte() switch
    {
        0 => false,
        1 => true,
        _ => throw Bad("neither true nor false"),
    };

    public double ReadDouble() => Unsafe.ReadUnaligned<double>(ref MemoryMarshal.GetReference(Take(8)));

    public float ReadSingle() => Unsafe.ReadUnaligned<float>(ref MemoryMarshal.GetReference(Take(4)));

    public void ReadRaw<T>(ref T value) => value = Unsafe.ReadUnaligned<T>(ref MemoryMarshal.GetReference(Take(Unsafe.SizeOf<T>())));

    /// <summary>Many values in one copy.</summary>
    public void ReadBlock<T>(Span<T> values)
    {
        if (values.IsEmpty)
            return;
        var bytes = Take(checked(values.Length * Unsafe.SizeOf<T>()));
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(values)), bytes.Length));
    }

    /// <summary>A count of things that take at least so many bytes each, which must fit into what is left.</summary>
    public int ReadCount(int bytesEach = 1)
    {
        var count = ReadNumber();
        if (count > (ulong)(_end - _position) / (ulong)bytesEach)
            throw Bad($"a count of {count} in a message that has {_end - _position} bytes left");
        return (int)count;
    }

    /// <summary>An array whose contents come later and take so many bytes at least: what is left must be enough for all such arrays, not for each.</summary>
    public void Owe(long bytes)
    {
        _owed += bytes;
        if (_owed > _end - _position)
            throw Bad($"arrays that take {_owed} bytes in a message that has {_end - _position} left");
    }

    /// <summary>Its contents come now.</summary>
    public void Settle(long bytes) => _owed -= bytes;

    public string ReadText()
    {
        var head = ReadNumber();
        var wide = (head & 1) != 0;
        var count = head >> 1;
        if (count > (ulong)(_end - _position) / (wide ? 2ul : 1))
            throw Bad("text that is longer than the message");
        var bytes = Take((int)count * (wide ? 2 : 1));
        return wide ? new(MemoryMarshal.Cast<byte, char>(bytes)) : Encoding.Latin1.GetString(bytes);
    }

    /// <summary>What was written by <see cref="GraphWriter.WriteBytes"/>, as long as the message is there.</summary>
    public ReadOnlySpan<byte> ReadBytes() => Take(ReadCount());

    public ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    /// <summary>Bytes of the message that were not read yet.</summary>
    public int Remaining => _end - _position;

    ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)(_end - _position))
            throw CutShort();
        var bytes = new ReadOnlySpan<byte>(_buffer, _position, count);
        _position += count;
        return bytes;
    }

    static InvalidDataException TooLarge() => Bad("a number is too large for its place");

    static InvalidDataException CutShort() => Bad("it is cut short");
}
