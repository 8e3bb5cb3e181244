namespace Skein;

/// <summary>
/// Where a store keeps batches of images (<see cref="StoreBatch"/>): a file, a database. Each is there whole and durable before the next is appended,
/// or not at all. One thread at a time.
/// </summary>
abstract class BatchLog : IDisposable
{
    /// <summary>For messages.</summary>
    public abstract string Path { get; }

    /// <summary>First of all: tells each batch, in order, with its number. What an interrupted write has left is cut off: nobody was told that it was there.</summary>
    /// <exception cref="InvalidDataException">One that was promised is damaged, or this is no store. Nothing was changed.</exception>
    public abstract void Recover(Action<long, byte[]> found);

    /// <summary>Returns its number, by which it is read again.</summary>
    /// <exception cref="IOException">Nothing of it is there.</exception>
    public abstract long Append(ReadOnlyMemory<byte> batch);

    /// <summary>A batch that was appended.</summary>
    public abstract byte[] Read(long number);

    /// <summary>Puts these in the place of all that are there; these may be read from here meanwhile. Returns their numbers. If it fails, all is as it was.</summary>
    public abstract IReadOnlyList<long> Replace(IEnumerable<ReadOnlyMemory<byte>> batches);

    public abstract void Dispose();
}
