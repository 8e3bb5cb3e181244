using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

// The tables here and in KnownGenerics have classes as keys: the framework brings their code compiled, which for tables keyed by
// structs a worker's first task would wait for.

/// <summary>A module of the application: found by name in the default context, compared by version.</summary>
sealed class KnownModule(Module module)
{
    static readonly ConcurrentDictionary<string, KnownModule> Found = new();

    Type?[] _types = new Type?[64];

    public Module Module => module;

    /// <summary>The module that the sender means, and no other build of it.</summary>
    public static KnownModule Find(string name, Version version, Guid mvid, string path)
    {
        if (Found.TryGetValue(name, out var known) && known.Module.ModuleVersionId == mvid)
            return known;
        var module = Load(name)?.ManifestModule;
        if (module is null || module.ModuleVersionId != mvid)
            throw new ModuleVersionException(ModuleVersionException.Describe(name, version, mvid, path), module is null ? null : ModuleVersionException.Describe(module)) { Module = (name, mvid) };
        if (TypePolicy.WhyNotShipped(module.Assembly) is not null || TypePolicy.IsFramework(module.Assembly))
            throw GraphReader.Bad($"{name} is not a module of the application");
        return Found.GetOrAdd(name, new KnownModule(module));
    }

    /// <summary>By its row in the table of types.</summary>
    public Type Type(int row)
    {
        var types = _types;
        if (row < types.Length && types[row] is { } known)
            return known;
        var type = module.ResolveType(0x02000000 | row);   // throws when there is no such row, so the table stays small
        if (row >= types.Length)
        {
            Array.Resize(ref types, row * 2);
            _types = types;
        }
        types[row] = type;   // two threads may lose each other's entry, and find it again
        return type;
    }

    /// <summary>By simple name only, and never from a path.</summary>
    public static Assembly? Load(string name)
    {
        if (name.Length is 0 or > 255 || !IsSimple(name))
            return null;
        try
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName { Name = name });
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or ArgumentException)
        {
            return null;
        }
    }

    static bool IsSimple(string name)
    {
        foreach (var c in name)
        {
            if (!char.IsLetterOrDigit(c) && c is not ('.' or '_' or '-' or '+' or ' '))
                return false;
        }
        return true;
    }
}
