using System.Buffers;
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

/// <summary>The modules of the application, found by name in the default context and compared by version.</summary>
static class KnownModules
{
    static readonly ConcurrentDictionary<(string Name, Guid Mvid), Module> Found = new();
    static readonly ConcurrentDictionary<(Module Module, int Row), Type> Types = new();

    static readonly SearchValues<char> NotInNames = SearchValues.Create("/\\,=\"'\0");

    /// <summary>The module that the sender means, and no other build of it.</summary>
    public static Module Find(string name, Version version, Guid mvid, string path)
    {
        if (Found.TryGetValue((name, mvid), out var module))
            return module;
        module = Load(name)?.ManifestModule;
        if (module is null || module.ModuleVersionId != mvid)
            throw new ModuleVersionException(ModuleVersionException.Describe(name, version, mvid, path), module is null ? null : ModuleVersionException.Describe(module));
        if (TypePolicy.WhyNotShipped(module.Assembly) is not null || TypePolicy.IsFramework(module.Assembly))
            throw GraphReader.Bad($"{name} is not a module of the application");
        Found.TryAdd((name, mvid), module);
        return module;
    }

    public static Type Type(Module module, int row)
    {
        if (Types.TryGetValue((module, row), out var type))
            return type;
        type = module.ResolveType(0x02000000 | row);
        Types.TryAdd((module, row), type);
        return type;
    }

    /// <summary>By simple name only, and never from a path.</summary>
    public static Assembly? Load(string name)
    {
        if (name.Length is 0 or > 255 || name.AsSpan().ContainsAny(NotInNames))
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
}
