using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>Sets are filled anew: hash codes differ from process to process.</summary>
sealed class HashSetCodec<T>() : Codec(typeof(HashSet<T>))
{
    public override void WriteHead(GraphWriter writer, object value) =>
        writer.WriteReference(HashedKeys<T>.Written(((HashSet<T>)value).Comparer), null);

    public override object ReadHead(GraphReader reader) => new HashSet<T>((IEqualityComparer<T>?)reader.ReadReference(null));

    public override void WriteBody(GraphWriter writer, object value)
    {
        var set = (HashSet<T>)value;
        var left = set.Count;
        writer.WriteNumber((uint)left);
        writer.WriteNumber((uint)HashSetParts<T>.Version(set));
        foreach (var item in set)
        {
            var copy = item;
            Element<T>.Write(writer, ref copy);
            left--;
        }

        if (left != 0)   // what happens in the loop the set notices itself
            throw new InvalidOperationException("A set was changed by another thread in the moment in which it was to be written.");
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        var set = (HashSet<T>)value;
        var items = new T[Element<T>.ReadCountOfSingles(reader)];
        var version = (int)reader.ReadUInt32();
        for (var i = 0; i < items.Length; i++)
            Element<T>.Read(reader, ref items[i]);
        if (HashedKeys<T>.AreReady(set.Comparer))
            Fill();
        else
            reader.Later(set, HashedKeys<T>.ThatMayWait(set.Comparer, items, static item => item), Fill);

        void Fill()
        {
            set.EnsureCapacity(items.Length);
            foreach (var item in items)
                set.Add(item);
            HashSetParts<T>.Version(set) = version;
        }
    }
}

static class HashSetParts<T>
{
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    public static extern ref int Version(HashSet<T> set);
}
