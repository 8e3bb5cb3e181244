using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Skein;

/// <summary>
/// A worker must run the code that its parent runs. While an application runs, its files may be replaced (a deploy): a worker started
/// then would be another program. So the files of the modules that are loaded here are looked at before each start.
/// </summary>
static class ModuleCheck
{
    static readonly Lock Gate = new();

    // The version is kept, not asked for again: a module is a mapping of its file, and changes with a file that is overwritten in place.
    static readonly Dictionary<string, (Guid Version, DateTime Written, long Length)> Known = [];

    /// <summary>Path and version id of the entry module: what a worker says of itself when it is ready.</summary>
    public static (string Path, UInt128 Version) Entry()
    {
        if (Assembly.GetEntryAssembly()?.ManifestModule is not { } module)
            return ("", default);
        var version = module.ModuleVersionId;
        return (module.FullyQualifiedName, System.Runtime.CompilerServices.Unsafe.As<Guid, UInt128>(ref version));
    }

    /// <summary>Refuses when the file of a module that is loaded here holds another build now.</summary>
    /// <exception cref="PlaceException">Names both modules.</exception>
    public static void Verify()
    {
        lock (Gate)
        {
            foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
            {
                if (assembly.IsDynamic || assembly.Location is not { Length: > 0 } path || !path.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal))
                    continue;
                var file = new FileInfo(path);
                if (Known.TryGetValue(path, out var known) && file.Exists && (known.Written, known.Length) == (file.LastWriteTimeUtc, file.Length))
                    continue;
                var version = Known.ContainsKey(path) ? known.Version : assembly.ManifestModule.ModuleVersionId;
                if (Known.ContainsKey(path))
                    Compare(assembly.ManifestModule, version, path);
                if (file.Exists)
                    Known[path] = (version, file.LastWriteTimeUtc, file.Length);
            }
        }
    }

    /// <summary>Refuses a worker whose entry module is another build than ours.</summary>
    public static void VerifyEntry(string worker, string path, UInt128 version)
    {
        if (version != Entry().Version)
        {
            throw Replaced(
                $"Worker {worker} was started from {Path.GetFileName(path)} {System.Runtime.CompilerServices.Unsafe.As<UInt128, Guid>(ref version)} ({path})",
                Describe(Assembly.GetEntryAssembly()!.ManifestModule, System.Runtime.CompilerServices.Unsafe.BitCast<UInt128, Guid>(Entry().Version)));
        }
    }

    static void Compare(Module module, Guid running, string path)
    {
        Guid onDisk;
        try
        {
            using var image = new PEReader(File.OpenRead(path));
            var metadata = image.GetMetadataReader();
            onDisk = metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
        }
        catch (Exception error) when (error is IOException or BadImageFormatException or InvalidOperationException or UnauthorizedAccessException)
        {
            throw Replaced($"{path} cannot be read as a module any more ({error.Message})", Describe(module, running));
        }

        if (onDisk != running)
            throw Replaced($"On disk is now {module.Name} {onDisk} ({path})", Describe(module, running));
    }

    static PlaceException Replaced(string found, string running) =>
        new($"No new worker can be started: {found}, but this process runs {running}. A worker would run other code than its caller. " +
            "Restart the application to use the new build; workers that run already are not affected.");

    static string Describe(Module module, Guid version) => $"{module.Name} {version} ({module.FullyQualifiedName})";
}
