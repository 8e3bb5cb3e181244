using System.Runtime.CompilerServices;

namespace Skein;

// Enumerators of collections that are filled anew travel as their position: what was removed leaves holes here, and none there.

sealed class DictionaryEnumeratorCodec<TKey, TValue> : ValueCodec<Dictionary<TKey, TValue>.Enumerator> where TKey : notnull
{
    public override void Write(GraphWriter writer, ref Dictionary<TKey, TValue>.Enumerator value)
    {
        if (!DictionaryPosition<TKey, TValue>.Write(writer, Dictionary(ref value), Version(ref value), Index(ref value)))
            return;
        writer.WriteByte((byte)Kind(ref value));
        Element<KeyValuePair<TKey, TValue>>.Write(writer, ref Current(ref value));
    }

    public override void Read(GraphReader reader, ref Dictionary<TKey, TValue>.Enumerator value)
    {
        if (!DictionaryPosition<TKey, TValue>.Read(reader, ref Dictionary(ref value), ref Version(ref value), ref Index(ref value)))
            return;
        Kind(ref value) = reader.ReadByte();
        Element<KeyValuePair<TKey, TValue>>.Read(reader, ref Current(ref value));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_dictionary")]
    static extern ref Dictionary<TKey, TValue> Dictionary(ref Dictionary<TKey, TValue>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    static extern ref int Version(ref Dictionary<TKey, TValue>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_index")]
    public static extern ref int Index(ref Dictionary<TKey, TValue>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_current")]
    static extern ref KeyValuePair<TKey, TValue> Current(ref Dictionary<TKey, TValue>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_getEnumeratorRetType")]
    static extern ref int Kind(ref Dictionary<TKey, TValue>.Enumerator enumerator);
}

sealed class KeyEnumeratorCodec<TKey, TValue> : ValueCodec<Dictionary<TKey, TValue>.KeyCollection.Enumerator> where TKey : notnull
{
    public override void Write(GraphWriter writer, ref Dictionary<TKey, TValue>.KeyCollection.Enumerator value)
    {
        if (DictionaryPosition<TKey, TValue>.Write(writer, Dictionary(ref value), Version(ref value), Index(ref value)))
            Element<TKey>.Write(writer, ref Current(ref value)!);
    }

    public override void Read(GraphReader reader, ref Dictionary<TKey, TValue>.KeyCollection.Enumerator value)
    {
        if (DictionaryPosition<TKey, TValue>.Read(reader, ref Dictionary(ref value), ref Version(ref value), ref Index(ref value)))
            Element<TKey>.Read(reader, ref Current(ref value)!);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_dictionary")]
    static extern ref Dictionary<TKey, TValue> Dictionary(ref Dictionary<TKey, TValue>.KeyCollection.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    static extern ref int Version(ref Dictionary<TKey, TValue>.KeyCollection.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_index")]
    static extern ref int Index(ref Dictionary<TKey, TValue>.KeyCollection.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_currentKey")]
    static extern ref TKey? Current(ref Dictionary<TKey, TValue>.KeyCollection.Enumerator enumerator);
}

sealed class ValueEnumeratorCodec<TKey, TValue> : ValueCodec<Dictionary<TKey, TValue>.ValueCollection.Enumerator> where TKey : notnull
{
    public override void Write(GraphWriter writer, ref Dictionary<TKey, TValue>.ValueCollection.Enumerator value)
    {
        if (DictionaryPosition<TKey, TValue>.Write(writer, Dictionary(ref value), Version(ref value), Index(ref value)))
            Element<TValue>.Write(writer, ref Current(ref value)!);
    }

    public override void Read(GraphReader reader, ref Dictionary<TKey, TValue>.ValueCollection.Enumerator value)
    {
        if (DictionaryPosition<TKey, TValue>.Read(reader, ref Dictionary(ref value), ref Version(ref value), ref Index(ref value)))
            Element<TValue>.Read(reader, ref Current(ref value)!);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_dictionary")]
    static extern ref Dictionary<TKey, TValue> Dictionary(ref Dictionary<TKey, TValue>.ValueCollection.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    static extern ref int Version(ref Dictionary<TKey, TValue>.ValueCollection.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_index")]
    static extern ref int Index(ref Dictionary<TKey, TValue>.ValueCollection.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_currentValue")]
    static extern ref TValue? Current(ref Dictionary<TKey, TValue>.ValueCollection.Enumerator enumerator);
}

sealed class HashSetEnumeratorCodec<T> : ValueCodec<HashSet<T>.Enumerator>
{
    public override void Write(GraphWriter writer, ref HashSet<T>.Enumerator value)
    {
        var set = Set(ref value);
        writer.WriteReference(set, Element<HashSet<T>>.Declared);
        if (set is null)
            return;
        var all = set.GetEnumerator();
        var (passed, index) = (0, Index(ref value));
        while (all.MoveNext() && Index(ref all) <= index)
            passed++;
        writer.WriteNumber((uint)Version(ref value));
        writer.WriteNumber((uint)(index > set.Count && passed == set.Count ? passed + 1 : passed));
        Element<T>.Write(writer, ref Current(ref value));
    }

    public override void Read(GraphReader reader, ref HashSet<T>.Enumerator value)
    {
        if (reader.ReadReference(Element<HashSet<T>>.Declared) is not { } set)
            return;
        Set(ref value) = (HashSet<T>)set;
        Version(ref value) = (int)reader.ReadUInt32();
        Index(ref value) = (int)(reader.ReadUInt32() & int.MaxValue);
        Element<T>.Read(reader, ref Current(ref value));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_hashSet")]
    static extern ref HashSet<T> Set(ref HashSet<T>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_version")]
    static extern ref int Version(ref HashSet<T>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_index")]
    static extern ref int Index(ref HashSet<T>.Enumerator enumerator);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_current")]
    static extern ref T Current(ref HashSet<T>.Enumerator enumerator);
}

/// <summary>Where an enumerator of a dictionary, its keys or its values stands.</summary>
static class DictionaryPosition<TKey, TValue> where TKey : notnull
{
    public static bool Write(GraphWriter writer, Dictionary<TKey, TValue>? dictionary, int version, int index)
    {
        writer.WriteReference(dictionary, Element<Dictionary<TKey, TValue>>.Declared);
        if (dictionary is null)
            return false;
        var all = dictionary.GetEnumerator();
        var passed = 0;
        while (all.MoveNext() && DictionaryEnumeratorCodec<TKey, TValue>.Index(ref all) <= index)
            passed++;
        writer.WriteNumber((uint)version);
        writer.WriteNumber((uint)(index > dictionary.Count && passed == dictionary.Count ? passed + 1 : passed));   // past the end is one more
        return true;
    }

    public static bool Read(GraphReader reader, ref Dictionary<TKey, TValue> dictionary, ref int version, ref int index)
    {
        if (reader.ReadReference(Element<Dictionary<TKey, TValue>>.Declared) is not { } read)
            return false;
        dictionary = (Dictionary<TKey, TValue>)read;
        version = (int)reader.ReadUInt32();
        index = (int)(reader.ReadUInt32() & int.MaxValue);
        return true;
    }
}
