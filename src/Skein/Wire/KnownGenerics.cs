using System.Collections.Concurrent;

namespace Skein;

/// <summary>Making a generic type checks its constraints each time: those of one and two arguments are remembered.</summary>
static class KnownGenerics
{
    static readonly ConcurrentDictionary<(Type Definition, Type First, Type? Second), Type> Made = new();

    public static Type Make(Type definition, Type[] arguments)
    {
        if (arguments.Length > 2)
            return definition.MakeGenericType(arguments);
        var key = (definition, arguments[0], arguments.Length > 1 ? arguments[1] : null);
        if (Made.TryGetValue(key, out var type))
            return type;
        type = definition.MakeGenericType(arguments);
        if (Made.Count < WireLimits.MaxDescriptions && !type.IsCollectible)
            Made.TryAdd(key, type);
        return type;
    }
}
