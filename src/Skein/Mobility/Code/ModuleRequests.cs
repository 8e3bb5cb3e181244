using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

/// <summary>A module as another node announces it.</summary>
sealed record ModuleNotice(string Name, Guid Mvid, string Hash, byte[]? Signature);

/// <summary>Asks for the hashes of a module and of all that it refers to, the framework and Skein excepted.</summary>
sealed class ModuleListRequest(string name, Guid mvid) : NodeRequest<ModuleNotice[]>
{
    protected override ValueTask<ModuleNotice[]> RunAsync(MobileNode node)
    {
        var first = node.Modules.Enter(name, mvid);
        try
        {
            var module = (first?.Find(name, mvid) ?? KnownModule.Find(name, new(), mvid, "")).Module;
            return new([.. Closure(module.Assembly).Select(node.FileOf).Select(static file => new ModuleNotice(file.Name, file.Mvid, file.Hash, file.Signature))]);
        }
        finally
        {
            first?.Leave();
        }
    }

    static HashSet<Assembly> Closure(Assembly first)
    {
        var all = new HashSet<Assembly>();
        var left = new Stack<Assembly>([first]);
        while (left.TryPop(out var assembly))
        {
            if (TypePolicy.IsFramework(assembly) || assembly == typeof(ModuleListRequest).Assembly || !all.Add(assembly))
                continue;
            foreach (var name in assembly.GetReferencedAssemblies())
            {
                try
                {
                    left.Push(AssemblyLoadContext.GetLoadContext(assembly)!.LoadFromAssemblyName(name));
                }
                catch (Exception e) when (e is IOException or BadImageFormatException)
                {
                    // It is not there here either: what uses it does not run.
                }
            }
        }
        return all;
    }
}

/// <summary>Asks for the bytes of a module, by their SHA-256.</summary>
sealed class ModuleBytesRequest(string hash) : NodeRequest<ModuleBytes>
{
    protected override ValueTask<ModuleBytes> RunAsync(MobileNode node) => node.FileOf(hash) is { } file
        ? new(new ModuleBytes(file.Bytes, file.Symbols))
        : throw new InvalidOperationException($"Node {node.Name} has no module with SHA-256 {hash} any more.");
}

/// <summary>A module and its debugging symbols.</summary>
sealed record ModuleBytes(byte[] Bytes, byte[]? Symbols);
