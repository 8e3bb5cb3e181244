using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

/// <summary>
/// Modules of an application beside those that this process was started with: another build, or such as came from another node. The
/// framework, Skein, and what is the same in the application that was started are shared with that. It can be unloaded.
/// </summary>
/// <remarks>It must not refer to what it has loaded: the runtime holds it until nothing refers to that any more.</remarks>
sealed class ModuleContext : AssemblyLoadContext
{
    readonly Dictionary<string, ModuleFile> _files;

    public ModuleContext(IEnumerable<ModuleFile> files) : base("Skein", isCollectible: true) => _files = files.ToDictionary(file => file.Name);

    public IReadOnlyCollection<ModuleFile> Files => _files.Values;

    /// <summary>Null when it is not here, or only another build of it.</summary>
    public Module? Find(string name, Guid mvid) => _files.TryGetValue(name, out var file) && file.Mvid == mvid ? Find(name) : null;

    /// <summary>Null when it is not here.</summary>
    public Module? Find(string name) => _files.ContainsKey(name) ? LoadFromAssemblyName(new(name)).ManifestModule : null;

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name is not { } name || !_files.TryGetValue(name, out var file))
            return null;
        using var bytes = new MemoryStream(file.Bytes, writable: false);
        using var symbols = file.Symbols is null ? null : new MemoryStream(file.Symbols, writable: false);
        return LoadFromStream(bytes, symbols);
    }
}
