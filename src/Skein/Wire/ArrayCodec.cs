using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>Arrays of one dimension.</summary>
sealed class ArrayCodec<T>(Type type) : Codec(type)
{
    public override void WriteHead(GraphWriter writer, object value) => writer.WriteNumber((uint)Unsafe.As<T[]>(value).Length);

    public override object ReadHead(GraphReader reader)
    {
        var count = Element<T>.ReadCount(reader);
        reader.Owe((long)count * Element<T>.MinimumSize);
        return Element<T>.IsBlock ? GC.AllocateUninitializedArray<T>(count) : new T[count];
    }

    public override void WriteBody(GraphWriter writer, object value)
    {
        var array = Unsafe.As<T[]>(value);   // an int[] may be seen as uint[]
        if (!typeof(T).IsValueType)
        {
            var declared = Element<T>.Declared;
            foreach (var item in array)
                writer.WriteReference(item, declared);
        }
        else
        {
            Element<T>.WriteAll(writer, MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(array), array.Length));
        }
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        var array = (T[])value;
        reader.Settle((long)array.Length * Element<T>.MinimumSize);
        Element<T>.ReadAll(reader, array);
    }
}

/// <summary>Arrays of several dimensions. Their elements lie in one row in memory.</summary>
sealed class RankedArrayCodec<T>(Type type) : Codec(type)
{
    public override void WriteHead(GraphWriter writer, object value)
    {
        var array = (Array)value;
        for (var i = 0; i < array.Rank; i++)
        {
            if (array.GetLowerBound(i) != 0)
                throw new Refusal(value, Type, "its lower bound is not 0");
            writer.WriteNumber((uint)array.GetLength(i));
        }
    }

    public override object ReadHead(GraphReader reader)
    {
        var lengths = new int[Type.GetArrayRank()];
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = (int)(reader.ReadUInt32() & int.MaxValue);
        var limit = (ulong)reader.Remaining / (ulong)Element<T>.MinimumSize;
        var count = lengths.Contains(0) ? 0ul : 1;   // with no elements, any other length is possible
        foreach (var length in lengths)
        {
            if ((count *= (ulong)length) > limit)
                throw GraphReader.Bad("an array that is larger than the message");
        }
        reader.Owe((long)count * Element<T>.MinimumSize);
        return Array.CreateInstance(typeof(T), lengths);
    }

    public override void WriteBody(GraphWriter writer, object value) => Element<T>.WriteAll(writer, All((Array)value));

    public override void ReadBody(GraphReader reader, object value)
    {
        var elements = All((Array)value);
        reader.Settle((long)elements.Length * Element<T>.MinimumSize);
        Element<T>.ReadAll(reader, elements);
    }

    static Span<T> All(Array array) => MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);
}
