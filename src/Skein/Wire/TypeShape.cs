using System.Collections.Concurrent;
using System.Reflection;

namespace Skein;

/// <summary>What a type is described by, where that has to be asked of the runtime: the parts of a generic type, the row of one of the application's.</summary>
sealed class TypeShape
{
    static readonly ConcurrentDictionary<Type, TypeShape> Known = new();

    TypeShape(Type type)
    {
        if (type.IsConstructedGenericType)
        {
            Definition = type.GetGenericTypeDefinition();
            Arguments = type.GetGenericArguments();
        }
        else if (!type.HasElementType && !type.IsGenericParameter && !type.IsFunctionPointer && !TypePolicy.IsFramework(type.Assembly))
        {
            Module = type.Module;
            Row = (uint)type.MetadataToken & 0xFFFFFF;
        }
    }

    /// <summary>Of a generic type with arguments.</summary>
    public Type? Definition { get; }

    public Type[] Arguments { get; } = [];

    /// <summary>Of a type of the application, or of the definition of one.</summary>
    public Module? Module { get; }

    public uint Row { get; }

    public static TypeShape Of(Type type)
    {
        if (Known.TryGetValue(type, out var known))
            return known;
        known = new(type);
        return type.IsCollectible ? known : Known.GetOrAdd(type, known);
    }
}
