using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Skein;

sealed class ImmutableDictionaryCodec<TKey, TValue>()
    : RebuiltCodec<ImmutableDictionary<TKey, TValue>, TKey, KeyValuePair<TKey, TValue>>(typeof(ImmutableDictionary<TKey, TValue>)) where TKey : notnull
{
    protected override IEqualityComparer<TKey>? KeyComparer(ImmutableDictionary<TKey, TValue> value) => value.KeyComparer;

    protected override object? SecondComparer(ImmutableDictionary<TKey, TValue> value) => HashedKeys<TValue>.Written(value.ValueComparer);

    protected override KeyValuePair<TKey, TValue>[] ItemsOf(ImmutableDictionary<TKey, TValue> value) => [.. value];

    protected override TKey KeyOf(KeyValuePair<TKey, TValue> item) => item.Key;

    protected override ImmutableDictionary<TKey, TValue> Build(IEqualityComparer<TKey>? comparer, object? second, KeyValuePair<TKey, TValue>[] items)
    {
        var builder = ImmutableDictionary.CreateBuilder(comparer, (IEqualityComparer<TValue>?)second);
        foreach (var (key, value) in items)
            builder[key] = value;
        return builder.ToImmutable();
    }
}

sealed class ImmutableHashSetCodec<T>() : RebuiltCodec<ImmutableHashSet<T>, T, T>(typeof(ImmutableHashSet<T>))
{
    protected override IEqualityComparer<T>? KeyComparer(ImmutableHashSet<T> value) => value.KeyComparer;

    protected override T[] ItemsOf(ImmutableHashSet<T> value) => [.. value];

    protected override T KeyOf(T item) => item;

    protected override ImmutableHashSet<T> Build(IEqualityComparer<T>? comparer, object? second, T[] items) => ImmutableHashSet.CreateRange(comparer, items);
}

/// <summary>Frozen collections: their class is private to the framework and follows from the keys.</summary>
static class FrozenCodec
{
    public static bool IsFrozen(Type type) => CodecOf(type) is not null;

    public static Codec? Make(Type type)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (CodecOf(at) is { } codec)
                return (Codec)Activator.CreateInstance(codec.MakeGenericType(at.GetGenericArguments()), type)!;
        }
        return null;
    }

    static Type? CodecOf(Type type) => !type.IsConstructedGenericType ? null : type.GetGenericTypeDefinition().FullName switch
    {
        "System.Collections.Frozen.FrozenDictionary`2" => typeof(FrozenDictionaryCodec<,>),
        "System.Collections.Frozen.FrozenSet`1" => typeof(FrozenSetCodec<>),
        _ => null,
    };
}

sealed class FrozenDictionaryCodec<TKey, TValue> : RebuiltCodec<FrozenDictionary<TKey, TValue>, TKey, KeyValuePair<TKey, TValue>> where TKey : notnull
{
    public FrozenDictionaryCodec(Type type) : base(type) => WireType = typeof(FrozenDictionary<TKey, TValue>);

    protected override IEqualityComparer<TKey>? KeyComparer(FrozenDictionary<TKey, TValue> value) => value.Comparer;

    protected override KeyValuePair<TKey, TValue>[] ItemsOf(FrozenDictionary<TKey, TValue> value) => [.. value];

    protected override TKey KeyOf(KeyValuePair<TKey, TValue> item) => item.Key;

    protected override FrozenDictionary<TKey, TValue> Build(IEqualityComparer<TKey>? comparer, object? second, KeyValuePair<TKey, TValue>[] items) =>
        items.ToFrozenDictionary(comparer);
}

sealed class FrozenSetCodec<T> : RebuiltCodec<FrozenSet<T>, T, T>
{
    public FrozenSetCodec(Type type) : base(type) => WireType = typeof(FrozenSet<T>);

    protected override IEqualityComparer<T>? KeyComparer(FrozenSet<T> value) => value.Comparer;

    protected override T[] ItemsOf(FrozenSet<T> value) => [.. value];

    protected override T KeyOf(T item) => item;

    protected override FrozenSet<T> Build(IEqualityComparer<T>? comparer, object? second, T[] items) => items.ToFrozenSet(comparer);
}
