using System.Collections.Concurrent;

namespace Skein;

/// <summary>Making a generic type checks its constraints each time: those that were made are remembered, by definition.</summary>
static class KnownGenerics
{
    /// <summary>Of one definition; the older ones of a program that makes ever new types are made again.</summary>
    const int Remembered = 64;

    static readonly ConcurrentDictionary<Type, Made[]> All = new();

    sealed record Made(Type[] Arguments, Type Type);

    public static Type Make(Type definition, Type[] arguments)
    {
        var known = All.TryGetValue(definition, out var found) ? found : [];
        foreach (var made in known)
        {
            if (arguments.AsSpan().SequenceEqual(made.Arguments))
                return made.Type;
        }
        var type = definition.MakeGenericType(arguments);
        if (!type.IsCollectible)
            All[definition] = [new(arguments, type), .. known.AsSpan(0, Math.Min(known.Length, Remembered - 1))];
        return type;
    }
}
