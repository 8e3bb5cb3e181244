namespace Skein;

/// <summary>Modules that some processes of a node use and the others do not. Unloaded when the last user has gone.</summary>
sealed class ModuleSpace(ModuleSpaces spaces, string key, ModuleContext context) : ModuleSource
{
    readonly Dictionary<string, KnownModule> _modules = [];

    public string Key => key;

    public ModuleContext Context => context;

    /// <summary>Processes, builds that are held, images that are being read. Under the lock of <see cref="ModuleSpaces"/>.</summary>
    public int Users { get; set; }

    public override KnownModule? Find(string name, Guid mvid)
    {
        lock (_modules)
        {
            if (!_modules.TryGetValue(name, out var known) && context.Find(name) is { } module)
                _modules.Add(name, known = new(module));
            return known?.Module.ModuleVersionId == mvid ? known : null;
        }
    }

    public void Leave() => spaces.Leave(this);
}
