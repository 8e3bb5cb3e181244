namespace Skein;

/// <summary>An image that a store keeps, under the id of its process.</summary>
public readonly record struct StoredProcess(string Id, ReadOnlyMemory<byte> Image);

/// <summary>
/// Where images of mobile processes are kept, so that they go on after a crash. A store promises:
/// what <see cref="SaveAsync"/> has returned for survives the loss of power;
/// a crash at any moment leaves each process as of its last save that had returned, or of one that had begun after it, never a mixture.
/// It may be called from any thread, for one process one call at a time.
/// </summary>
public abstract class MobileStore : IAsyncDisposable
{
    /// <summary>Two nodes that have the same store need not tell it where a process is.</summary>
    internal string Identity { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Keeps an image instead of the one before.</summary>
    /// <exception cref="IOException">It was not kept; the one before is.</exception>
    public abstract ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default);

    /// <summary>Forgets a process, which has ended. One that is not there is no error.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public abstract ValueTask RemoveAsync(string id, CancellationToken cancellation = default);

    /// <summary>The last image of each process.</summary>
    public abstract ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default);

    /// <summary>Closes it; what was saved stays.</summary>
    public abstract ValueTask DisposeAsync();
}
