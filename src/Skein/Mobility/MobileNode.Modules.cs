using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>Of all modules that come with one process.</summary>
    const long MaxModuleBytes = 256 << 20;

    readonly ConcurrentDictionary<string, (string Path, WeakReference<ModuleFile> File)> _files = new();   // of the modules that this program was started with, by hash
    readonly ConcurrentDictionary<(string From, string Hash), Lazy<Task<ModuleFile>>> _fetching = new();   // by processes that come at the same time

    /// <summary>Whose code this node takes, where a process brings code that it does not have. By default nobody's.</summary>
    public CodePolicy Code { get; init; } = CodePolicy.Listed();

    internal ModuleSpaces Modules { get; } = new();

    /// <summary>Keeps code that comes, for processes that a store has; null: it goes with its last process.</summary>
    internal KeptCode? Kept { get; init; }

    /// <summary>
    /// Loads a build of an application beside the one that this program was started with: the module and those that it refers to and that
    /// stand in the same folder. Start its functions, or let processes of another build go on in it.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="BadImageFormatException">It is no module of .NET.</exception>
    public LoadedBuild Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        path = Path.GetFullPath(path);
        var first = ModuleFile.Read(path);
        var folder = Path.GetDirectoryName(path)!;
        var files = new Dictionary<string, ModuleFile> { [first.Name] = first };
        var left = new Queue<ModuleFile>([first]);
        while (left.TryDequeue(out var file))
        {
            foreach (var name in file.References())
            {
                var beside = Path.Combine(folder, name + ".dll");
                if (name == typeof(MobileNode).Assembly.GetName().Name || files.ContainsKey(name) || !File.Exists(beside))
                    continue;
                var next = ModuleFile.Read(beside);
                files[name] = next;
                left.Enqueue(next);
            }
        }
        return new([first, .. files.Values.Where(file => file != first)], Modules.Enter(files.Values));
    }

    /// <summary>Makes the objects of an image; of modules that this node lacks and its policy allows the sender is asked.</summary>
    /// <param name="from">Null: nobody can be asked, and only what was kept is there.</param>
    internal async ValueTask<(MobileState State, Action? Finish)> ReadAsync(byte[] image, string? from) =>
        (await ReadAsync(space => MobileImage.Read(image, this, space), from).ConfigureAwait(false)).Value;   // it has taken over the place in the space

    /// <summary>Reads what needs modules, and gets them.</summary>
    /// <returns>It, and the space in which it was read, with a place that is to be left.</returns>
    async ValueTask<(T Value, ModuleSpace? Space)> ReadAsync<T>(Func<ModuleSpace?, T> read, string? from)
    {
        ModuleSpace? space = null;
        var found = new Dictionary<string, ModuleFile>();
        for (var rounds = 0; ; rounds++)
        {
            (string Name, Guid Mvid) missing;
            try
            {
                return (read(space), space);
            }
            catch (ModuleVersionException e) when (e.Module.Name is not null && rounds < 64)
            {
                missing = e.Module;
                var known = rounds == 0 ? Modules.Enter(missing.Name, missing.Mvid) : null;
                space?.Leave();
                space = known;
                if (known is not null)
                    continue;
                if (from is null && !TryTakeKept(missing, found))
                    throw;
            }
            catch
            {
                space?.Leave();
                throw;
            }
            if (from is not null)
                await FetchAsync(from, missing, found).ConfigureAwait(false);
            space = Modules.Enter(found.Values);
            if (space?.Find(missing.Name, missing.Mvid) is not null)
                continue;
            space?.Leave();
            throw new CannotMoveException($"Node {from} has another build of {missing.Name} now than that which the process uses.");
        }
    }

    /// <summary>The same where nobody can be asked.</summary>
    internal (MobileState State, Action? Finish) Read(byte[] image) => ReadAsync(image, null).AsTask().GetAwaiter().GetResult();   // has ended

    /// <summary>A message with objects of the application, which may be of a build that is beside the one that was started.</summary>
    internal T Decode<T>(byte[] bytes, ModuleSource? modules = null)
    {
        try
        {
            return GraphCodec.Decode<T>(bytes, modules);
        }
        catch (ModuleVersionException e) when (e.Module.Name is not null && modules is null && Modules.Enter(e.Module.Name, e.Module.Mvid) is { } space)
        {
            try
            {
                return GraphCodec.Decode<T>(bytes, space);
            }
            finally
            {
                space.Leave();
            }
        }
    }

    /// <summary>A module, and all that it refers to.</summary>
    /// <param name="found">By their names.</param>
    async Task FetchAsync(string from, (string Name, Guid Mvid) missing, Dictionary<string, ModuleFile> found)
    {
        var files = new List<ModuleFile>();
        foreach (var notice in await AskAsync(from, new ModuleListRequest(missing.Name, missing.Mvid)).ConfigureAwait(false))
        {
            var file = Modules.Find(known => known.Hash == notice.Hash) ?? FileHere(notice) ?? await FetchAsync(from, notice).ConfigureAwait(false);
            files.Add(file);
            found[file.Name] = file;
            if (found.Values.Sum(static file => (long)file.Bytes.Length) > MaxModuleBytes)
                throw new CannotMoveException($"The modules of the process have more than {MaxModuleBytes >> 20} MiB.");
        }
        try
        {
            Kept?.Keep(missing.Mvid, files, IsOwn(from));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CannotMoveException($"Node {Name} cannot keep the code of the process: {e.Message}", e);
        }
    }

    /// <summary>The same of a process that was stored.</summary>
    bool TryTakeKept((string Name, Guid Mvid) missing, Dictionary<string, ModuleFile> found)
    {
        if (Kept?.Find(missing.Name, missing.Mvid) is not var (files, isOwn))
            return false;
        foreach (var file in files)
        {
            if (Code.WhyNot(file.Hash, file.Signature, isOwn) is { } reason)
                throw new CannotMoveException($"Node {Name} does not take the code of {file.Name} any more: {reason}.");
            found[file.Name] = file;
        }
        return true;
    }

    /// <summary>Whether a peer is a program of this user on this machine.</summary>
    bool IsOwn(string peer) => _peers.Find(peer) is { IsRemote: false };

    /// <summary>The program was started with it: nobody need be asked.</summary>
    ModuleFile? FileHere(ModuleNotice notice) =>
        KnownModule.Load(notice.Name) is { Location.Length: > 0 } here && here.ManifestModule.ModuleVersionId == notice.Mvid && FileOf(here) is { } file && file.Hash == notice.Hash ? file : null;

    async Task<ModuleFile> FetchAsync(string from, ModuleNotice notice)
    {
        if (Code.WhyNot(notice.Hash, notice.Signature, IsOwn(from)) is { } reason)
            throw new CannotMoveException($"Node {Name} does not take the code of {notice.Name} from node {from}: {reason}.");
        var fetching = _fetching.GetOrAdd((from, notice.Hash), _ => new(() => FetchBytesAsync(from, notice)));
        try
        {
            return await fetching.Value.ConfigureAwait(false);
        }
        finally
        {
            _fetching.TryRemove(new((from, notice.Hash), fetching));
        }
    }

    async Task<ModuleFile> FetchBytesAsync(string from, ModuleNotice notice)
    {
        var sent = await AskAsync(from, new ModuleBytesRequest(notice.Hash)).ConfigureAwait(false);
        ModuleFile file;
        try
        {
            file = ModuleFile.Of(sent.Bytes, sent.Symbols, notice.Signature);
        }
        catch (BadImageFormatException e)
        {
            throw new CannotMoveException($"What node {from} has sent is not {notice.Name}: {e.Message}", e);
        }
        return file.Hash == notice.Hash && file.Name == notice.Name && file.Mvid == notice.Mvid ? file
            : throw new CannotMoveException($"What node {from} has sent is not {notice.Name} with SHA-256 {notice.Hash}: its bytes have {file.Hash}.");
    }

    internal ModuleFile? FileOf(string hash) => _files.TryGetValue(hash, out var known)
        ? known.File.TryGetTarget(out var file) ? file : ReadAgain(known.Path, hash)
        : Modules.Find(each => each.Hash == hash);

    /// <summary>It was announced, and its bytes were let go of before anybody has asked for them.</summary>
    ModuleFile? ReadAgain(string path, string hash)
    {
        if (!File.Exists(path) || ModuleFile.Read(path) is not { } file || file.Hash != hash)
            return null;   // it was replaced
        _files[hash] = (path, new(file));
        return file;
    }

    /// <exception cref="CannotMoveException">Its bytes are not known.</exception>
    internal ModuleFile FileOf(Assembly assembly)
    {
        var (name, mvid) = (assembly.GetName().Name!, assembly.ManifestModule.ModuleVersionId);
        if (AssemblyLoadContext.GetLoadContext(assembly) is ModuleContext context)
            return context.Files.First(each => each.Name == name);
        var file = assembly.Location.Length > 0 ? ModuleFile.Read(assembly.Location)
            : throw new CannotMoveException($"{name} has no file of its own (the program is a single file): its code cannot be sent.");
        if (file.Mvid != mvid)
            throw new CannotMoveException($"{assembly.Location} was replaced since it was loaded: the code that runs cannot be sent.");
        _files[file.Hash] = (assembly.Location, new(file));
        return file;
    }
}
