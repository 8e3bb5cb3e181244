using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Collections that never change and are arranged by hash codes: they are built anew from their items. With keys that the framework
/// hashes, at once. With keys of the application an empty object of the class stands in until the keys may be hashed; then it takes
/// over the fields of a collection that was built.
/// </summary>
abstract class RebuiltCodec<TCollection, TKey, TItem>(Type type) : Codec(type) where TCollection : class
{
    protected abstract IEqualityComparer<TKey>? KeyComparer(TCollection value);

    /// <summary>Another comparer that belongs to the collection.</summary>
    protected virtual object? SecondComparer(TCollection value) => null;

    protected abstract TItem[] ItemsOf(TCollection value);

    protected abstract TKey KeyOf(TItem item);

    protected abstract TCollection Build(IEqualityComparer<TKey>? comparer, object? second, TItem[] items);

    public sealed override void WriteHead(GraphWriter writer, object value)
    {
        var collection = (TCollection)value;
        var comparer = KeyComparer(collection);
        writer.WriteReference(HashedKeys<TKey>.Written(comparer), null);
        writer.WriteReference(SecondComparer(collection), null);
        if (HashedKeys<TKey>.AreReady(comparer))
            Items<TItem>.Write(writer, ItemsOf(collection));
        else
            writer.WriteType(value.GetType());
    }

    public sealed override object ReadHead(GraphReader reader)
    {
        var comparer = (IEqualityComparer<TKey>?)reader.ReadReference(null);
        var second = reader.ReadReference(null);
        if (HashedKeys<TKey>.AreReady(comparer))
            return Build(comparer, second, Items<TItem>.Read(reader));
        var type = reader.ReadType();
        if (!type.IsAssignableTo(typeof(TCollection)) || type.IsAbstract || !TypePolicy.IsFramework(type.Assembly))
            throw GraphReader.Bad($"{type} is not such a collection");
        var shell = RuntimeHelpers.GetUninitializedObject(type);
        reader.Expect(shell, comparer, second);
        return shell;
    }

    public sealed override void WriteBody(GraphWriter writer, object value)
    {
        var collection = (TCollection)value;
        if (!HashedKeys<TKey>.AreReady(KeyComparer(collection)))
            Items<TItem>.Write(writer, ItemsOf(collection));
    }

    public sealed override void ReadBody(GraphReader reader, object value)
    {
        if (!reader.TryGetExpected(value, out var comparer, out var second))
            return;
        var items = Items<TItem>.Read(reader);
        var keyComparer = (IEqualityComparer<TKey>?)comparer;
        reader.Later(value, HashedKeys<TKey>.ThatMayWait(keyComparer, items, KeyOf), () => TakeOver(value, Build(keyComparer, second, items)));
    }

    static void TakeOver(object shell, TCollection built)
    {
        if (shell.GetType() != built.GetType())
            throw new InvalidDataException($"The message is damaged: {built.GetType()} was announced as {shell.GetType()}.");
        for (var type = shell.GetType(); type is not null && type != typeof(object); type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                field.SetValue(shell, field.GetValue(built));
        }
    }
}
