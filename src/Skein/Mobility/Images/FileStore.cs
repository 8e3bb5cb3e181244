namespace Skein;

/// <summary>
/// A store in one file: a log to which images are appended. All that wait while the disk writes go into the next write together, so a
/// thousand processes that store themselves at once cost little more than one. When most of the file is outdated it is written anew.
/// <code>
/// await using var store = FileStore.Open("/var/lib/orders/processes.log");
/// var node = new MobileNode("a", store: store);
/// await node.RestoreAsync();
/// </code>
/// </summary>
public sealed class FileStore : MobileStore
{
    readonly GroupCommit _images;

    FileStore(GroupCommit images) => _images = images;

    /// <summary>Opens a store, or makes it. A write that was interrupted by a crash is cut off: nobody was told that it was there.</summary>
    /// <exception cref="IOException">It cannot be opened, or another process has it open.</exception>
    /// <exception cref="InvalidDataException">It is damaged in the middle, of a later version, or no store. Nothing was changed.</exception>
    public static FileStore Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return new(new(new FileLog(Path.GetFullPath(path))));
    }

    /// <inheritdoc/>
    public override ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default) => _images.SaveAsync(id, image, cancellation);

    /// <inheritdoc/>
    public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default) => _images.SaveAsync(id, null, cancellation);

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) => _images.ReadAsync(cancellation);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _images.DisposeAsync();
}
