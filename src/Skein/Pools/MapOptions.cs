namespace Skein;

/// <summary>How a mapping is done.</summary>
public sealed record MapOptions
{
    /// <summary>
    /// How many inputs go to a worker at once; null: as many as take about two milliseconds, one if an input takes more than 0.1 ms.
    /// When a worker is lost in the middle of a chunk, the input that ran has failed, and the others of the chunk run again: with 1, no
    /// input is ever run twice.
    /// </summary>
    public int? ChunkSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(ChunkSize));
            field = value;
        }
    }
}
