using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Skein;

/// <summary>Keeps the state of objects that are not active. Called for one object by one caller at a time.</summary>
public abstract class ObjectStore
{
    /// <summary>A store that ends with this process.</summary>
    public static ObjectStore InMemory() => new MemoryObjectStore();

    /// <summary>A file for each object, replaced as a whole; what was saved is on the disk.</summary>
    /// <param name="folder">Made if it is not there, for this user alone.</param>
    public static ObjectStore InFolder(string folder) => new FolderObjectStore(folder);

    /// <summary>The state of an object; null: there is none.</summary>
    /// <param name="kind">The full name of its interface.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cancellation">Gives up.</param>
    public abstract ValueTask<byte[]?> LoadAsync(string kind, string name, CancellationToken cancellation = default);

    /// <summary>Replaces the state of an object.</summary>
    /// <inheritdoc cref="LoadAsync"/>
    /// <param name="state">The state.</param>
    public abstract ValueTask SaveAsync(string kind, string name, byte[] state, CancellationToken cancellation = default);
}

sealed class MemoryObjectStore : ObjectStore
{
    readonly ConcurrentDictionary<(string Kind, string Name), byte[]> _states = new();

    public override ValueTask<byte[]?> LoadAsync(string kind, string name, CancellationToken cancellation = default) => new(_states.GetValueOrDefault((kind, name)));

    public override ValueTask SaveAsync(string kind, string name, byte[] state, CancellationToken cancellation = default)
    {
        _states[(kind, name)] = state;
        return default;
    }
}

sealed class FolderObjectStore : ObjectStore
{
    readonly string _folder;

    public FolderObjectStore(string folder)
    {
        _folder = Path.GetFullPath(folder);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(_folder);
        else
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public override async ValueTask<byte[]?> LoadAsync(string kind, string name, CancellationToken cancellation = default)
    {
        try
        {
            return await File.ReadAllBytesAsync(FileOf(kind, name), cancellation).ConfigureAwait(false);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    public override async ValueTask SaveAsync(string kind, string name, byte[] state, CancellationToken cancellation = default)
    {
        var path = FileOf(kind, name);
        var stream = new FileStream($"{path}.new", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(state, cancellation).ConfigureAwait(false);
            stream.Flush(flushToDisk: true);
        }

        File.Move($"{path}.new", path, overwrite: true);
        if (OperatingSystem.IsLinux())
            FolderSync.Flush(_folder);   // the new name, too
    }

    // A name may be anything; a file's name may not, and is not the same in upper case everywhere.
    string FileOf(string kind, string name) =>
        Path.Combine(_folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\0{name}"))));
}
