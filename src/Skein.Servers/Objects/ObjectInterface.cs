using System.Collections.Concurrent;
using System.Reflection;

namespace Skein;

/// <summary>An interface whose methods can be called from elsewhere. Both sides describe it for themselves and compare.</summary>
sealed class ObjectInterface
{
    static readonly ConcurrentDictionary<Type, ObjectInterface> Known = new();

    readonly Dictionary<MethodInfo, int> _numbers;

    ObjectInterface(Type type)
    {
        Type = type;
        if (!type.IsInterface || type.ContainsGenericParameters)
            throw new ArgumentException($"{type} is no interface: an object is called through one.");
        Methods = [.. type.GetInterfaces().Append(type)
            .SelectMany(one => one.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(method => method.IsAbstract)
            .Select(method => new ObjectMethod(method))
            .OrderBy(method => method.Signature, StringComparer.Ordinal)];
        _numbers = Methods.Index().ToDictionary(entry => entry.Item.Method, entry => entry.Index);
    }

    public Type Type { get; }

    public string Name => Type.FullName ?? Type.Name;

    public IReadOnlyList<ObjectMethod> Methods { get; }

    /// <exception cref="ArgumentException">It cannot be called from elsewhere; the message says why.</exception>
    public static ObjectInterface Of(Type type) => Known.GetOrAdd(type, static type => new(type));

    public int NumberOf(MethodInfo method) =>
        _numbers.TryGetValue(method, out var number) ? number : throw new NotSupportedException($"{Name}: {method} is not called from elsewhere: the interface itself has its body, and only what the object implements is asked for there. Give it no body, or make it an extension method.");
}
