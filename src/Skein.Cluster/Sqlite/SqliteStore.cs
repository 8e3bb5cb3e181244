namespace Skein;

/// <summary>
/// A store in a database of SQLite (the system's library), with <c>synchronous=FULL</c>: a table to which images are appended. All that wait while the
/// disk writes go into the next transaction together. When most of the table is outdated it is written anew.
/// <code>
/// await using var store = SqliteStore.Open("/var/lib/orders/processes.db");
/// await using var node = await ClusterNode.StartAsync("a", new() { Store = store });
/// </code>
/// </summary>
public sealed class SqliteStore : MobileStore
{
    readonly GroupCommit _images;

    SqliteStore(GroupCommit images) => _images = images;

    /// <summary>Opens a store, or makes it. A transaction that was interrupted by a crash never was.</summary>
    /// <exception cref="IOException">It cannot be opened, or is open elsewhere; or the system has no SQLite.</exception>
    /// <exception cref="InvalidDataException">It is damaged, of a later version, or no store. Nothing was changed.</exception>
    public static SqliteStore Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return new(new(new SqliteLog(Path.GetFullPath(path))));
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
