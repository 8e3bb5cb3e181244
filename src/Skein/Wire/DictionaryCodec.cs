using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>Dictionaries are filled anew: hash codes differ from process to process.</summary>
sealed class DictionaryCodec<TKey, TValue>() : Codec(typeof(Dictionary<TKey, TValue>)) where TKey : notnull
{
    public override void WriteHead(GraphWriter writer, object value) =>
        writer.WriteReference(HashedKeys<TKey>.Written(((Dictionary<TKey, TValue>)value).Comparer), null);

    public override object ReadHead(GraphReader reader) =>
        new Dictionary<TKey, TValue>((IEqualityComparer<TKey>?)reader.ReadReference(null));

    public override void WriteBody(GraphWriter writer, object value)
    {
        var dictionary = (Dictionary<TKey, TValue>)value;
        var left = dictionary.Count;
        writer.WriteNumber((uint)left);
        writer.WriteNumber((uint)DictionaryParts<TKey, TValue>.Version(dictionary));
        foreach (var (key, item) in dictionary)
        {
            var (k, v) = (key, item);
            Element<TKey>.Write(writer, ref k);
            Element<TValue>.Write(writer, ref v);
            left--;
        }

        if (left != 0)   // what happens in the loop the dictionary notices itself
            throw new InvalidOperationException("A dictionary was changed by another thread in the moment in which it was to be written.");
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        var dictionary = (Dictionary<TKey, TValue>)value;
        var count = reader.ReadCount(2);
        var version = (int)reader.ReadUInt32();
        var ready = HashedKeys<TKey>.AreReady(dictionary.Comparer);
        var pairs = ready ? [] : new (TKey Key, TValue Value)[count];
        if (ready)
            dictionary.EnsureCapacity(count);
        for (var i = 0; i < count; i++)
        {
            TKey key = default!;
            TValue item = default!;
            Element<TKey>.Read(reader, ref key);
            Element<TValue>.Read(reader, ref item);
            if (key is null)
                throw GraphReader.Bad("a key that is null");
            if (ready)
                dictionary[key] = item;
            else
                pairs[i] = (key, item);
        }
        if (ready)
        {
            DictionaryParts<TKey, TValue>.Version(dictionary) = version;
        }
        else
        {
            reader.Later(dictionary, HashedKeys<TKey>.ThatMayWait(dictionary.Comparer, pairs, static pair => pair.Key), () =>
            {
                dictionary.EnsureCapacity(count);
                foreach (var (key, item) in pairs)
                    dictionary[key] = item;
                DictionaryParts<TKey, TValue>.Version(dictionary) = version;
            });
        }
    }
}

static class DictionaryParts<TKey, TValue> where TKey : notnull
{
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    public static extern ref int Version(Dictionary<TKey, TValue> dictionary);
}
