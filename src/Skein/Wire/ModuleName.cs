using System.Collections.Concurrent;
using System.Reflection;

namespace Skein;

/// <summary>What a module is described by. Asking the runtime for it takes a microsecond, which is half of a small image.</summary>
sealed record ModuleName(string Name, Version Version, Guid Mvid)
{
    static readonly ConcurrentDictionary<Module, ModuleName> Known = new();

    public static ModuleName Of(Module module)
    {
        if (Known.TryGetValue(module, out var known))
            return known;
        var name = module.Assembly.GetName();
        known = new(name.Name!, name.Version ?? new(), module.ModuleVersionId);
        return module.Assembly.IsCollectible ? known : Known.GetOrAdd(module, known);
    }
}
