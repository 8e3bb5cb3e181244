using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Skein;

sealed partial class GraphWriter
{
    const int FirstBuffer = 4096;
    const int ShortText = 128;   // up to here a loop is as good as the encoder, which a worker's first task would have to load

    byte[] _buffer = new byte[FirstBuffer];
    int _position;
    int _lastLength, _smallMessages;   // of small messages in a row, in a buffer that is much too large for them

    /// <summary>What was written since <see cref="Begin"/>, with the room reserved before it. Valid until the next message begins.</summary>
    public Memory<byte> Written => _buffer.AsMemory(0, _position);

    /// <summary>Of the buffer, in bytes.</summary>
    public int Capacity => _buffer.Length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteByte(byte value)
    {
        if (_position >= _buffer.Length)
            Grow(1);
        _buffer[_position++] = value;
    }

    /// <summary>Seven bits a byte, the low ones first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteNumber(ulong value)
    {
        if (value < 0x80)
            WriteByte((byte)value);
        else
            WriteLongNumber(value);
    }

    void WriteLongNumber(ulong value)
    {
        if (_buffer.Length - _position < 10)
            Grow(10);
        var buffer = _buffer;
        var at = _position;
        while (value >= 0x80)
        {
            buffer[at++] = (byte)(value | 0x80);
            value >>= 7;
        }
        buffer[at++] = (byte)value;
        _position = at;
    }

    /// <summary>Numbers near zero are short, whatever their sign.</summary>
    public void WriteSigned(long value) => WriteNumber((ulong)((value << 1) ^ (value >> 63)));

    public void WriteDouble(double value) => WriteRaw(ref value);

    public void WriteSingle(float value) => WriteRaw(ref value);

    /// <summary>The bits as they are, little end first.</summary>
    public void WriteRaw<T>(ref T value)
    {
        var size = Unsafe.SizeOf<T>();
        if (_buffer.Length - _position < size)
            Grow(size);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_buffer), _position), value);
        _position += size;
    }

    /// <summary>Many of them in one copy.</summary>
    public void WriteBlock<T>(ReadOnlySpan<T> values)
    {
        if (values.IsEmpty)
            return;
        var size = (long)values.Length * Unsafe.SizeOf<T>();
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(values)), BlockSize(size)).CopyTo(Reserve((int)size));
    }

    /// <summary>
    /// Twice the count of characters, plus one where they are sixteen bits each; then the characters. Most text of programs is Latin and
    /// takes a byte a character; the rest is copied as it is in memory, so every string survives, with unpaired surrogates too.
    /// </summary>
    public void WriteText(string value)
    {
        if (value.AsSpan().ContainsAnyExceptInRange('\0', '\u00FF'))
        {
            WriteNumber(((ulong)value.Length << 1) | 1);
            WriteBlock<char>(value);
            return;
        }
        WriteNumber((ulong)value.Length << 1);
        var bytes = Reserve(BlockSize(value.Length));
        if (value.Length > ShortText)
        {
            Encoding.Latin1.GetBytes(value, bytes);
            return;
        }
        Narrow(value, bytes);
    }

    static void Narrow(ReadOnlySpan<char> characters, Span<byte> bytes)
    {
        var i = 0;
        ref var source = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(characters));
        ref var target = ref MemoryMarshal.GetReference(bytes[..characters.Length]);
        for (; i <= characters.Length - 16; i += 16)
            Vector128.Narrow(Vector128.LoadUnsafe(ref source, (nuint)i), Vector128.LoadUnsafe(ref source, (nuint)i + 8)).StoreUnsafe(ref target, (nuint)i);
        for (; i < characters.Length; i++)
            Unsafe.Add(ref target, i) = (byte)Unsafe.Add(ref source, i);
    }

    /// <summary>Room for so many bytes, which the caller fills in at once.</summary>
    public Span<byte> WriteBytes(long count)
    {
        WriteNumber((ulong)count);
        return Reserve(BlockSize(count));
    }

    int BlockSize(long size) => size <= WireLimits.MaxMessage - _position ? (int)size : throw new MessageTooLargeException(size + _position);

    Span<byte> Reserve(int size)
    {
        if (_buffer.Length - _position < size)
            Grow(size);
        var span = _buffer.AsSpan(_position, size);
        _position += size;
        return span;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    void Grow(int size)
    {
        var needed = (long)_position + size;
        if (needed > WireLimits.MaxMessage)
            throw new MessageTooLargeException(needed);
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(WireLimits.MaxMessage, Math.Max(needed, _buffer.Length * 2L)));
        _buffer.AsSpan(0, _position).CopyTo(larger);
        ReturnBuffer();
        _buffer = larger;
    }

    /// <summary>A large buffer is kept as long as large messages come, and goes back to the pool after sixteen small ones.</summary>
    void TrimBuffer()
    {
        if (_buffer.Length <= WireLimits.KeptBuffer)
            return;
        if (_lastLength > _buffer.Length / 8)
        {
            _smallMessages = 0;
        }
        else if (++_smallMessages == 16)
        {
            ReturnBuffer();
            _buffer = new byte[FirstBuffer];
            _smallMessages = 0;
        }
    }

    void ReturnBuffer()
    {
        if (_buffer.Length > FirstBuffer)
            ArrayPool<byte>.Shared.Return(_buffer);
    }
}
