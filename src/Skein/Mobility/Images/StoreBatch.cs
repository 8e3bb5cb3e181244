using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Skein;

/// <summary>What is written at once to the log of a store: the images of those that waited for it, and who has ended.</summary>
/// <remarks>
/// A batch: <c>mark u32, length u32, check u32</c>, then entries: <c>length of id u32, length of image u32</c> (the highest value: the
/// process has ended), id in UTF-8, image. All little end first. The check (CRC-32C) covers the length and the entries.
/// </remarks>
static class StoreBatch
{
    public const int HeaderSize = 12;

    const int EntrySize = 8;
    const uint Ended = uint.MaxValue;

    /// <summary>Where the image of a process stands.</summary>
    public readonly record struct Extent(long Batch, int Start, int Length);

    /// <summary>What each begins with. Another last letter is that of a later version.</summary>
    public static ReadOnlySpan<byte> Mark => "SKNS"u8;

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
        Mark.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(header.Length - HeaderSize));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], CheckOf(header));
        return bytes;
    }

    /// <summary>How long the batch is that has this header; null: it is none.</summary>
    public static int? LengthOf(ReadOnlySpan<byte> header)
    {
        if (!header.StartsWith(Mark))
            return null;
        var entries = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        return entries > int.MaxValue - HeaderSize ? null : HeaderSize + (int)entries;
    }

    /// <summary>Whether it is all there, as it was written.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> batch) =>
        batch.Length >= HeaderSize && LengthOf(batch) == batch.Length && CheckOf(batch) == BinaryPrimitives.ReadUInt32LittleEndian(batch[8..]);

    /// <summary>The processes of a whole batch, in order; null: it has ended.</summary>
    public static IEnumerable<(string Id, Extent? Image)> Entries(long number, byte[] batch)
    {
        for (var at = HeaderSize; at < batch.Length;)
        {
            var name = BinaryPrimitives.ReadInt32LittleEndian(batch.AsSpan(at));
            var length = BinaryPrimitives.ReadUInt32LittleEndian(batch.AsSpan(at + 4));
            var id = Encoding.UTF8.GetString(batch, at + EntrySize, name);
            at += EntrySize + name;
            yield return (id, length == Ended ? null : new(number, at, (int)length));
            if (length != Ended)
                at += (int)length;
        }
    }

    static uint CheckOf(ReadOnlySpan<byte> batch) => Crc32C.Of(batch[HeaderSize..], Crc32C.Of(batch[4..8]));
}
