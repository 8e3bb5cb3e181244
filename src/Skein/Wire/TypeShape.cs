using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

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

        Type[] parts = type.HasElementType ? [type.GetElementType()!] : Arguments;
        foreach (var part in parts)
        {
            if (Parts > WireLimits.MaxTypeParts)
                break;   // those of modules that can be unloaded are not remembered: it would take as long as there are parts
            var shape = Of(part);
            Levels = Math.Max(Levels, shape.Levels + 1);
            Parts = Math.Min(Parts + shape.Parts, WireLimits.MaxTypeParts + 1);
        }
    }

    /// <summary>Of a generic type with arguments.</summary>
    public Type? Definition { get; }

    public Type[] Arguments { get; } = [];

    /// <summary>Of a type of the application, or of the definition of one.</summary>
    public Module? Module { get; }

    public uint Row { get; }

    int Levels { get; } = 1;

    /// <summary>Itself and all that it is made of, each as often as it occurs there.</summary>
    int Parts { get; } = 1;

    /// <summary>Null for a type that a description may mean; else why not.</summary>
    public static string? WhyNot(Type type)
    {
        var shape = Of(type);
        if (shape.Levels > WireLimits.MaxDepth)
            return "the generic type is nested too deeply";
        if (shape.Parts > WireLimits.MaxTypeParts)
            return "the generic type has too many parts";
        return shape.Definition is not null && type is { IsValueType: true, ContainsGenericParameters: false } && RuntimeHelpers.SizeOf(type.TypeHandle) > WireLimits.MaxGenericStruct
            ? "the generic struct is too large" : null;
    }

    public static TypeShape Of(Type type)
    {
        if (Known.TryGetValue(type, out var known))
            return known;
        known = new(type);
        return type.IsCollectible ? known : Known.GetOrAdd(type, known);
    }
}
