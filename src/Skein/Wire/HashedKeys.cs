using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Whether keys can be hashed while a message is read: their hash needs neither the contents of other objects, which may not be there
/// yet, nor code of the application.
/// </summary>
static class HashedKeys<TKey>
{
    static readonly bool AreSimple = IsSimple(typeof(TKey));

    public static bool AreReady(IEqualityComparer<TKey>? comparer) =>
        AreSimple && (comparer is null or StringComparer || ReferenceEquals(comparer, EqualityComparer<TKey>.Default));

    /// <summary>The comparer to write: null for the default one.</summary>
    public static object? Written(IEqualityComparer<TKey>? comparer) => ReferenceEquals(comparer, EqualityComparer<TKey>.Default) ? null : comparer;

    static readonly bool MayWait = !AreSimple && !typeof(TKey).IsValueType && TypePolicy.IsFramework(typeof(TKey).Assembly);

    /// <summary>
    /// For <see cref="GraphReader.Later"/>: the keys of items, where there may be collections among them that wait too and are hashed by their contents. Such
    /// collections are the framework's, and have an identity for a hash unless a comparer has another.
    /// </summary>
    public static IEnumerable<object?>? ThatMayWait<T>(IEqualityComparer<TKey>? comparer, T[] items, Func<T, TKey> keyOf) =>
        MayWait && Written(comparer) is not (null or ReferenceEqualityComparer) ? items.Select(keyOf).Cast<object?>() : null;

    static bool IsSimple(Type type)
    {
        if (type == typeof(string) || type == typeof(Type) || type == typeof(Uri) || type == typeof(Version) || type.IsPrimitive || type.IsEnum)
            return true;
        if (!type.IsValueType || !TypePolicy.IsFramework(type.Assembly))
            return false;
        return type.IsGenericType
            ? type.IsAssignableTo(typeof(ITuple)) && Array.TrueForAll(type.GetGenericArguments(), IsSimple)
            : ValueCodec.For(type).IsBlock;
    }
}
