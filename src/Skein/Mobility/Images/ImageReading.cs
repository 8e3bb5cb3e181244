namespace Skein;

/// <summary>An image that is being read: where its process is to go on, and what was made here for it.</summary>
sealed class ImageReading(MobileNode node)
{
    List<IDisposable>? _made;

    public MobileNode Node => node;

    /// <summary>A folder that only this process uses; null while it needs none.</summary>
    public string? Folder { get; private set; }

    /// <summary>Files and folders made for it so far.</summary>
    public int Entries { get; set; }

    /// <summary>The nodes at which something of the process is fastened.</summary>
    public HashSet<string>? Owners { get; private set; }

    public static ImageReading Of(GraphReader reader) => reader.Context as ImageReading ?? throw GraphReader.Bad("a resource of a mobile process, outside of its image");

    /// <summary>Whether anything was made.</summary>
    public bool HasMade => Folder is not null || _made is not null;

    public string MakeFolder() => Folder ??= Directory.CreateTempSubdirectory("skein-mobile-").FullName;

    public void Made(IDisposable resource) => (_made ??= []).Add(resource);

    public void NoteOwner(string node) => (Owners ??= []).Add(node);

    /// <summary>The process does not go on here after all.</summary>
    public void Discard()
    {
        foreach (var resource in _made ?? [])
            resource.Dispose();
        Remove(Folder);
    }

    public static void Remove(string? folder)
    {
        if (folder is null)
            return;
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else still works in it: it stays, in the folder for what is temporary.
        }
    }
}
