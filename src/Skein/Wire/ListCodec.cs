using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>Lists, with the version number that lets an enumerator of theirs go on.</summary>
sealed class ListCodec<T>() : Codec(typeof(List<T>))
{
    public override object ReadHead(GraphReader reader) => new List<T>();

    public override void WriteBody(GraphWriter writer, object value)
    {
        var list = Unsafe.As<List<T>>(value);
        var items = CollectionsMarshal.AsSpan(list);
        writer.WriteNumber((uint)items.Length);
        writer.WriteNumber((uint)Version(list));
        if (!typeof(T).IsValueType)
        {
            var declared = Element<T>.Declared;
            foreach (var item in items)
                writer.WriteReference(item, declared);
        }
        else
        {
            Element<T>.WriteAll(writer, items);
        }
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        var list = (List<T>)value;
        var count = Element<T>.ReadCount(reader);
        var version = (int)reader.ReadUInt32();
        CollectionsMarshal.SetCount(list, count);
        Element<T>.ReadAll(reader, CollectionsMarshal.AsSpan(list));
        Version(list) = version;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    static extern ref int Version(List<T> list);
}
