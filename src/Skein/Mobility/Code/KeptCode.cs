namespace Skein;

/// <summary>
/// A folder with the code that processes have brought, so that those which are stored find it when their node is started again. Nodes of one user share it.
/// <code>
/// SHA-256.dll   .pdb   .dll.sig     a module, its symbols, its signature
/// MVID.code                         whose code it is, and the SHA-256 of the module that has this MVID and of all that it refers to
/// </code>
/// </summary>
sealed class KeptCode
{
    const UnixFileMode OwnFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const string Own = "own", Others = "others";

    readonly string _folder;

    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public KeptCode(string folder)
    {
        _folder = Path.GetFullPath(folder);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(_folder);
        else
            Directory.CreateDirectory(_folder, OwnFolder);
    }

    /// <summary>Returns when it would survive the loss of power.</summary>
    /// <param name="mvid">Of the module that a process needs.</param>
    /// <param name="files">That one, and all that it refers to.</param>
    /// <param name="isOwn">Whether it came from this user's programs on this machine.</param>
    /// <exception cref="IOException">There is no room, or it cannot be written.</exception>
    public void Keep(Guid mvid, IReadOnlyCollection<ModuleFile> files, bool isOwn)
    {
        var list = ListOf(mvid);
        if (File.Exists(list) && (!isOwn || File.ReadLines(list).First() == Own))
            return;
        foreach (var file in files)
        {
            var path = FileOf(file.Hash);
            if (File.Exists(path))
                continue;
            if (file.Symbols is { } symbols)
                Write(Path.ChangeExtension(path, ".pdb"), symbols);
            if (file.Signature is { } signature)
                Write(path + ".sig", signature);
            Write(path, file.Bytes);
        }
        Write(list, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', [isOwn ? Own : Others, .. files.Select(static file => file.Hash)])));
        if (OperatingSystem.IsLinux())
            FolderSync.Flush(_folder);
    }

    /// <summary>Null where it was never kept, or is damaged.</summary>
    public (IReadOnlyList<ModuleFile> Files, bool IsOwn)? Find(string name, Guid mvid)
    {
        try
        {
            var lines = File.ReadAllLines(ListOf(mvid));
            var files = lines.Skip(1).Select(Read).ToArray();
            return Array.Exists(files, file => file.Name == name && file.Mvid == mvid) ? (files, lines[0] == Own) : null;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return null;
        }
    }

    ModuleFile Read(string hash) => ModuleFile.Read(FileOf(hash)) is var file && file.Hash == hash ? file : throw new BadImageFormatException($"{FileOf(hash)} is damaged.");

    string FileOf(string hash) => Path.Combine(_folder, hash + ".dll");

    string ListOf(Guid mvid) => Path.Combine(_folder, $"{mvid:N}.code");

    /// <summary>Whole or not at all, whoever else writes the same.</summary>
    static void Write(string path, byte[] bytes)
    {
        var unfinished = $"{path}.{Guid.NewGuid():N}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = OwnFile;
            using (var stream = new FileStream(unfinished, options))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }
            File.Move(unfinished, path, overwrite: true);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }
}
