using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>
/// The file of a <see cref="FileStore"/>: one batch after another, each written whole and made durable before the next begins. So only the
/// last can be torn, and then nobody was told that it is there.
/// </summary>
/// <remarks>
/// A batch: <c>mark u32, length u32, check u32</c>, then entries: <c>length of id u32, length of image u32</c> (the highest value: the
/// process has ended), id in UTF-8, image. All little end first. The check (CRC-32C) covers the length and the entries.
/// </remarks>
static class StoreLog
{
    public const int HeaderSize = 12, EntrySize = 8;

    const uint Mark = 0x534E4B53;   // "SKNS"
    const uint Ended = uint.MaxValue;

    /// <summary>Where the image of a process stands.</summary>
    public readonly record struct Extent(long Offset, int Length);

    /// <summary>Where a batch that is being written begins; its header comes when its length is known.</summary>
    public static void Begin(ArrayBufferWriter<byte> batch)
    {
        batch.ResetWrittenCount();
        batch.GetSpan(HeaderSize)[..HeaderSize].Clear();
        batch.Advance(HeaderSize);
    }

    /// <summary>Adds a process; returns where in the batch its image begins. Null: it has ended.</summary>
    public static int Add(ArrayBufferWriter<byte> batch, string id, ReadOnlyMemory<byte>? image)
    {
        var name = Encoding.UTF8.GetByteCount(id);
        var span = batch.GetSpan(EntrySize + name + (image?.Length ?? 0));
        BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)name);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], image is null ? Ended : (uint)image.Value.Length);
        Encoding.UTF8.GetBytes(id, span[EntrySize..]);
        image?.Span.CopyTo(span[(EntrySize + name)..]);
        var start = batch.WrittenCount + EntrySize + name;
        batch.Advance(EntrySize + name + (image?.Length ?? 0));
        return start;
    }

    /// <summary>The batch as it is written.</summary>
    public static ReadOnlyMemory<byte> End(ArrayBufferWriter<byte> batch)
    {
        var bytes = MemoryMarshal.AsMemory(batch.WrittenMemory);
        var header = bytes.Span;
        BinaryPrimitives.WriteUInt32LittleEndian(header, Mark);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(header.Length - HeaderSize));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], CheckOf(header));
        return bytes;
    }

    /// <summary>Reads all; returns where the last whole batch ends. What follows it is torn, and is to be cut off.</summary>
    /// <exception cref="InvalidDataException">A batch in the middle is damaged: what was promised is lost, and no one is to find out later.</exception>
    public static long Read(SafeFileHandle file, string path, Dictionary<string, Extent> places)
    {
        var length = RandomAccess.GetLength(file);
        var position = 0L;
        while (position < length)
        {
            var batch = ReadBatch(file, position, length);
            if (batch is null)
            {
                if (IsFollowed(file, position + 1, length))
                    throw new InvalidDataException($"The store {path} is damaged at byte {position}, and whole records follow: this is no interrupted write. Restore the file from a copy.");
                return position;
            }
            foreach (var (id, place) in Entries(batch, position))
            {
                if (place is { } image)
                    places[id] = image;
                else
                    places.Remove(id);
            }
            position += batch.Length;
        }
        return position;
    }

    /// <summary>Null unless a whole batch begins there.</summary>
    static byte[]? ReadBatch(SafeFileHandle file, long position, long end)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (end - position < HeaderSize || !TryFill(file, header, position) || BinaryPrimitives.ReadUInt32LittleEndian(header) != Mark)
            return null;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        if (length > end - position - HeaderSize || length > int.MaxValue - HeaderSize)
            return null;
        var batch = new byte[HeaderSize + (int)length];
        return TryFill(file, batch, position) && CheckOf(batch) == BinaryPrimitives.ReadUInt32LittleEndian(batch.AsSpan(8)) ? batch : null;
    }

    static IEnumerable<(string Id, Extent? Image)> Entries(byte[] batch, long position)
    {
        for (var at = HeaderSize; at < batch.Length;)
        {
            var name = BinaryPrimitives.ReadInt32LittleEndian(batch.AsSpan(at));
            var length = BinaryPrimitives.ReadUInt32LittleEndian(batch.AsSpan(at + 4));
            var id = Encoding.UTF8.GetString(batch, at + EntrySize, name);
            at += EntrySize + name;
            yield return (id, length == Ended ? null : new(position + at, (int)length));
            if (length != Ended)
                at += (int)length;
        }
    }

    /// <summary>Whether a whole batch begins anywhere from here on.</summary>
    static bool IsFollowed(SafeFileHandle file, long position, long end)
    {
        var window = new byte[1 << 16];
        Span<byte> mark = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(mark, Mark);
        for (; position + HeaderSize <= end; position += window.Length - 3)   // a mark may lie across two windows
        {
            var read = RandomAccess.Read(file, window, position);
            for (var at = 0; at < read;)
            {
                var found = window.AsSpan(at, read - at).IndexOf(mark);
                if (found < 0)
                    break;
                if (ReadBatch(file, position + at + found, end) is not null)
                    return true;
                at += found + 1;
            }
        }
        return false;
    }

    public static bool TryFill(SafeFileHandle file, Span<byte> bytes, long position)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(file, bytes, position);
            if (read == 0)
                return false;
            bytes = bytes[read..];
            position += read;
        }
        return true;
    }

    static uint CheckOf(ReadOnlySpan<byte> batch)
    {
        var check = BitOperations.Crc32C(uint.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(batch[4..]));
        var entries = batch[HeaderSize..];
        var words = MemoryMarshal.Cast<byte, ulong>(entries);
        foreach (var word in words)
            check = BitOperations.Crc32C(check, word);
        foreach (var one in entries[(words.Length * 8)..])
            check = BitOperations.Crc32C(check, one);
        return check;
    }
}
