using System.Reflection;

namespace Skein;

/// <summary>A build of an application at a node, beside others. It is unloaded when this was disposed of and its last process has gone.</summary>
public sealed class LoadedBuild : IDisposable
{
    readonly string _name;
    readonly string[] _names;
    ModuleSpace? _space;
    int _isDisposed;

    internal LoadedBuild(IReadOnlyCollection<ModuleFile> files, ModuleSpace? space)
    {
        _name = files.First().Name;
        _names = [.. files.Select(static file => file.Name)];
        _space = space;
    }

    /// <summary>The module that was loaded. To hold it keeps the build from being unloaded.</summary>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public Assembly Assembly
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
            return ModuleOf(_name).Assembly;
        }
    }

    internal ModuleSpace? Space => _space;

    /// <summary>By the names of their assemblies.</summary>
    internal Dictionary<string, Module> Modules() => _names.ToDictionary(static name => name, ModuleOf);

    Module ModuleOf(string name) => _space?.Context.Find(name) ?? KnownModule.Load(name)!.ManifestModule;

    /// <summary>Lets go of the build; processes that use it go on.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        _space?.Leave();
        _space = null;
    }
}
