using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Skein;

/// <summary>
/// Which types may be written and made, the same on both sides. Of the application: every class and struct of the modules that it was
/// shipped with, unless it derives from a framework class with a state of its own. Of the framework: what <see cref="FrameworkTypes"/>
/// names, and what has a codec of its own. Everything else belongs to its place.
/// </summary>
static class TypePolicy
{
    const BindingFlags OwnFields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    static readonly ConcurrentDictionary<Assembly, bool> Framework = new();

    static readonly ConcurrentDictionary<string, Type> FrameworkNames = new();

    /// <summary>The keys that Microsoft signs the runtime, its libraries and the extensions with, as hexadecimal tokens.</summary>
    static readonly string[] FrameworkKeys =
        ["7CEC85D7BEA7798E", "B03F5F7F11D50A3A", "B77A5C561934E089", "CC7B13FFCD2DDD51", "ADB9793829DDAE60", "31BF3856AD364E35"];

    public static bool IsFramework(Assembly assembly) => !assembly.IsCollectible && Framework.GetOrAdd(assembly, static a =>
        !a.IsDynamic && a.GetName().GetPublicKeyToken() is { Length: 8 } token && FrameworkKeys.Contains(Convert.ToHexString(token)));

    /// <summary>Null for a module that another process of this application finds by its name; else why not.</summary>
    public static string? WhyNotShipped(Assembly assembly)
    {
        if (assembly.IsDynamic)
            return "it was made at run time";
        return AssemblyLoadContext.GetLoadContext(assembly) is var context && (context == AssemblyLoadContext.Default || context is ModuleContext) ? null : "its assembly was loaded by hand, so that no other process finds it";
    }

    public static bool IsListed(Type type) => FrameworkTypes.Contains(type);

    /// <summary>Null when values of this type may be written field by field; else why not.</summary>
    public static string? WhyNot(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nint) || type == typeof(nuint))
            return "a raw address or handle means nothing elsewhere";
        if (type.IsByRefLike)
            return $"{SourceNames.Of(type)} lives on the stack";
        if (IsFramework(type.Assembly))
            return IsListed(type) ? null : $"{SourceNames.Of(type)} {WhyNotFramework(type)}";
        if (WhyNotShipped(type.Assembly) is { } reason)
            return $"{SourceNames.Of(type)}: {reason}";
        if (type.GetCustomAttribute<StaysHereAttribute>() is { } stays)
            return stays.Reason;
        for (var at = type; at is not null && at != typeof(object) && at != typeof(ValueType) && at != typeof(Exception); at = at.BaseType)
        {
            if (Array.Exists(at.GetFields(OwnFields), static f => f.FieldType.IsPointer || f.FieldType.IsFunctionPointer))
                return $"{SourceNames.Of(type)} has a pointer, which means nothing elsewhere";
            if (!type.IsValueType && at.GetMethod("Finalize", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly, []) is not null)
                return $"{SourceNames.Of(type)} has a finalizer: it holds something of its place";
            if (!IsFramework(at.Assembly) || IsListed(at) || at.IsAssignableTo(typeof(Exception)))
                continue;
            if (at.GetFields(OwnFields).Length > 0)
                return $"{SourceNames.Of(type)} is a {SourceNames.Of(at)}, which {WhyNotFramework(at)}";
        }
        return null;
    }

    static string WhyNotFramework(Type type)
    {
        var name = type.FullName ?? "";
        if (type.IsAssignableTo(typeof(Stream)) || type.IsAssignableTo(typeof(TextReader)) || type.IsAssignableTo(typeof(TextWriter))
            || type.IsAssignableTo(typeof(SafeHandle)) || type.IsAssignableTo(typeof(WaitHandle))
            || name.StartsWith("System.Threading.", StringComparison.Ordinal) || name.StartsWith("System.Net.", StringComparison.Ordinal)
            || name.StartsWith("System.Diagnostics.", StringComparison.Ordinal) || name.StartsWith("System.Reflection.", StringComparison.Ordinal))
        {
            return "belongs to its place";
        }
        return "is a framework class that is not on the list of those that travel";
    }

    /// <summary>Null when a function may point to this method.</summary>
    public static string? WhyNot(MethodInfo method)
    {
        if (method.DeclaringType is null || method.Module.Assembly.IsDynamic)
            return "the function was made at run time";
        if (IsFramework(method.Module.Assembly))
            return $"{SourceNames.Of(method.DeclaringType)}.{method.Name} is a method of the framework; write a lambda that calls it";
        if (WhyNotShipped(method.Module.Assembly) is { } reason)
            return $"{SourceNames.Of(method.DeclaringType)}.{method.Name}: {reason}";
        return method.GetMethodBody() is null ? $"{SourceNames.Of(method.DeclaringType)}.{method.Name} has no code of its own" : null;
    }

    /// <summary>For the reader: the method that a description means.</summary>
    public static MethodInfo Method(Type type, int row, Type[] arguments)
    {
        if (IsFramework(type.Assembly) || WhyNotShipped(type.Assembly) is not null)
            throw GraphReader.Bad($"a function of {type}");
        var method = type.Module.ResolveMethod(0x06000000 | row) as MethodInfo ?? throw GraphReader.Bad("a function that is a constructor");
        if (type.IsGenericType)
            method = (MethodInfo)MethodBase.GetMethodFromHandle(method.MethodHandle, type.TypeHandle)!;
        if (method.IsGenericMethodDefinition)
            method = method.MakeGenericMethod(arguments);
        if (method.DeclaringType != type || WhyNot(method) is not null)
            throw GraphReader.Bad($"a function {method} of {type}");
        return method;
    }

    /// <summary>For the reader: a type of the framework by its name. Nothing else is ever looked up by name.</summary>
    public static Type FrameworkType(string assembly, string name)
    {
        var key = $"{assembly}/{name}";
        if (FrameworkNames.TryGetValue(key, out var type))
            return type;
        var found = KnownModule.Load(assembly);
        if (found is null || !IsFramework(found))
            throw GraphReader.Bad($"'{assembly}' is not an assembly of the framework");
        type = found.GetType(name, throwOnError: false);
        if (type is null || type.Assembly != found || type.IsConstructedGenericType || type.HasElementType)
            throw GraphReader.Bad($"the framework has no type '{name}' in '{assembly}'");
        FrameworkNames.TryAdd(key, type);
        return type;
    }
}
