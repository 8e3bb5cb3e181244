using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

/// <summary>The modules at a node beside those that its program was started with: each set once, as long as somebody uses it.</summary>
sealed class ModuleSpaces
{
    readonly Dictionary<string, ModuleSpace> _spaces = [];

    public int Count
    {
        get
        {
            lock (_spaces)
                return _spaces.Count;
        }
    }

    /// <summary>The space of a set of modules, with a user more. Null when the program was started with all of them.</summary>
    public ModuleSpace? Enter(IReadOnlyCollection<ModuleFile> files)
    {
        var own = Own(files);
        if (own.Count == 0)
            return null;
        var key = string.Join(' ', own.Select(static file => file.Hash).Order(StringComparer.Ordinal));
        lock (_spaces)
        {
            if (!_spaces.TryGetValue(key, out var space))
                _spaces.Add(key, space = new(this, key, new(own)));
            space.Users++;
            return space;
        }
    }

    /// <summary>A space that has a module, with a user more; else null.</summary>
    public ModuleSpace? Enter(string name, Guid mvid) => Enter(space => space.Find(name, mvid) is not null);

    /// <summary>That of a function which is to be started, with a user more; null when the program was started with it.</summary>
    public ModuleSpace? Enter(Assembly assembly) =>
        AssemblyLoadContext.GetLoadContext(assembly) is ModuleContext context ? Enter(space => space.Context == context) : null;

    /// <summary>That of a build that is held, with a user more.</summary>
    /// <exception cref="ObjectDisposedException">It is not held any more.</exception>
    public ModuleSpace? Enter(LoadedBuild build)
    {
        lock (_spaces)
        {
            var space = build.Space;
            if (space is not null)
                space.Users++;
            return space;
        }
    }

    public void Leave(ModuleSpace space)
    {
        lock (_spaces)
        {
            if (--space.Users > 0)
                return;
            _spaces.Remove(space.Key);
        }
        space.Context.Unload();
    }

    /// <summary>A module that some process here uses, by its hash or else by name and MVID.</summary>
    public ModuleFile? Find(Func<ModuleFile, bool> condition)
    {
        lock (_spaces)
            return _spaces.Values.SelectMany(static space => space.Context.Files).FirstOrDefault(condition);
    }

    /// <summary>The first for which something holds, with a user more; else null.</summary>
    public ModuleSpace? Enter(Predicate<ModuleSpace> condition)
    {
        lock (_spaces)
        {
            foreach (var space in _spaces.Values)
            {
                if (!condition(space))
                    continue;
                space.Users++;
                return space;
            }
            return null;
        }
    }

    /// <summary>
    /// Without those that the program was started with, so that their objects are the same for both. One that refers to a module which is
    /// another there is not the same.
    /// </summary>
    static List<ModuleFile> Own(IReadOnlyCollection<ModuleFile> files)
    {
        var shared = new Dictionary<string, Assembly>();
        foreach (var file in files)
        {
            if (KnownModule.Load(file.Name) is { } loaded && loaded.ManifestModule.ModuleVersionId == file.Mvid)
                shared[file.Name] = loaded;
        }
        var names = files.Select(static file => file.Name).ToHashSet();
        while (shared.FirstOrDefault(pair => Array.Exists(pair.Value.GetReferencedAssemblies(), to => names.Contains(to.Name!) && !shared.ContainsKey(to.Name!))).Key is { } other)
            shared.Remove(other);
        return [.. files.Where(file => !shared.ContainsKey(file.Name))];
    }
}
