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
