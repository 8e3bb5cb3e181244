using System.Runtime.InteropServices;

namespace Skein;

// Windows on an array (or a text): the whole of it travels, since others may see it too.

sealed class MemoryCodec<T> : ValueCodec<Memory<T>>
{
    public override void Write(GraphWriter writer, ref Memory<T> value) => Window<T>.Write(writer, value);

    public override void Read(GraphReader reader, ref Memory<T> value)
    {
        var (array, start, length) = Window<T>.Read(reader);
        value = new((T[]?)array, start, length);   // the constructor checks the bounds
    }
}

sealed class ReadOnlyMemoryCodec<T> : ValueCodec<ReadOnlyMemory<T>>
{
    public override void Write(GraphWriter writer, ref ReadOnlyMemory<T> value) => Window<T>.Write(writer, value);

    public override void Read(GraphReader reader, ref ReadOnlyMemory<T> value)
    {
        var (owner, start, length) = Window<T>.Read(reader);
        value = owner is string text ? (ReadOnlyMemory<T>)(object)text.AsMemory(start, length) : new((T[]?)owner, start, length);
    }
}

sealed class ArraySegmentCodec<T> : ValueCodec<ArraySegment<T>>
{
    public override void Write(GraphWriter writer, ref ArraySegment<T> value)
    {
        writer.WriteReference(value.Array, Element<T[]>.Declared);
        writer.WriteNumber((uint)value.Offset);
        writer.WriteNumber((uint)value.Count);
    }

    public override void Read(GraphReader reader, ref ArraySegment<T> value)
    {
        var (array, start, length) = Window<T>.Read(reader);
        value = array is null ? default : new((T[])array, start, length);
    }
}

static class Window<T>
{
    public static void Write(GraphWriter writer, ReadOnlyMemory<T> memory)
    {
        object? owner;
        int start, length;
        if (MemoryMarshal.TryGetArray(memory, out var segment))
            (owner, start, length) = (segment.Array, segment.Offset, segment.Count);
        else if (memory is ReadOnlyMemory<char> text && MemoryMarshal.TryGetString(text, out var whole, out start, out length))
            owner = whole;
        else
            throw new Refusal(null, typeof(Memory<T>), "this memory belongs to a MemoryManager of its place");
        writer.WriteReference(owner, Element<T[]>.Declared);
        writer.WriteNumber((uint)start);
        writer.WriteNumber((uint)length);
    }

    public static (object? Owner, int Start, int Length) Read(GraphReader reader) =>
        (reader.ReadReference(Element<T[]>.Declared), (int)reader.ReadUInt32(), (int)reader.ReadUInt32());
}
