using System.Collections.Concurrent;

namespace Skein;

sealed class ConcurrentDictionaryCodec<TKey, TValue>() : Codec(typeof(ConcurrentDictionary<TKey, TValue>)) where TKey : notnull
{
    public override void WriteHead(GraphWriter writer, object value) =>
        writer.WriteReference(HashedKeys<TKey>.Written(((ConcurrentDictionary<TKey, TValue>)value).Comparer), null);

    public override object ReadHead(GraphReader reader) =>
        new ConcurrentDictionary<TKey, TValue>((IEqualityComparer<TKey>?)reader.ReadReference(null));

    public override void WriteBody(GraphWriter writer, object value) =>
        Items<KeyValuePair<TKey, TValue>>.Write(writer, ((ConcurrentDictionary<TKey, TValue>)value).ToArray());

    public override void ReadBody(GraphReader reader, object value)
    {
        var dictionary = (ConcurrentDictionary<TKey, TValue>)value;
        var pairs = Items<KeyValuePair<TKey, TValue>>.Read(reader);
        if (Array.Exists(pairs, p => p.Key is null))
            throw GraphReader.Bad("a key that is null");
        if (HashedKeys<TKey>.AreReady(dictionary.Comparer))
            Fill();
        else
            reader.Later(dictionary, HashedKeys<TKey>.ThatMayWait(dictionary.Comparer, pairs, static pair => pair.Key), Fill);

        void Fill()
        {
            foreach (var (key, item) in pairs)
                dictionary[key] = item;
        }
    }
}

sealed class ConcurrentQueueCodec<T>() : Codec(typeof(ConcurrentQueue<T>))
{
    public override object ReadHead(GraphReader reader) => new ConcurrentQueue<T>();

    public override void WriteBody(GraphWriter writer, object value) => Items<T>.Write(writer, ((ConcurrentQueue<T>)value).ToArray());

    public override void ReadBody(GraphReader reader, object value) => Array.ForEach(Items<T>.Read(reader), ((ConcurrentQueue<T>)value).Enqueue);
}

sealed class ConcurrentStackCodec<T>() : Codec(typeof(ConcurrentStack<T>))
{
    public override object ReadHead(GraphReader reader) => new ConcurrentStack<T>();

    public override void WriteBody(GraphWriter writer, object value)
    {
        var items = ((ConcurrentStack<T>)value).ToArray();
        Array.Reverse(items);
        Items<T>.Write(writer, items);
    }

    public override void ReadBody(GraphReader reader, object value) => Array.ForEach(Items<T>.Read(reader), ((ConcurrentStack<T>)value).Push);
}

sealed class ConcurrentBagCodec<T>() : Codec(typeof(ConcurrentBag<T>))
{
    public override object ReadHead(GraphReader reader) => new ConcurrentBag<T>();

    public override void WriteBody(GraphWriter writer, object value) => Items<T>.Write(writer, ((ConcurrentBag<T>)value).ToArray());

    public override void ReadBody(GraphReader reader, object value) => Array.ForEach(Items<T>.Read(reader), ((ConcurrentBag<T>)value).Add);
}

/// <summary>A count and so many values.</summary>
static class Items<T>
{
    public static void Write(GraphWriter writer, T[] items)
    {
        writer.WriteNumber((uint)items.Length);
        Element<T>.WriteAll(writer, System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(items), items.Length));
    }

    public static T[] Read(GraphReader reader)
    {
        var items = new T[Element<T>.ReadCount(reader)];
        Element<T>.ReadAll(reader, items);
        return items;
    }
}
