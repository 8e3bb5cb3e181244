namespace Skein;

/// <summary>What a control group may use in all; null: as much as the group above it.</summary>
sealed record CgroupLimits
{
    /// <summary>Bytes of memory, with the file cache on its behalf and with swap.</summary>
    public long? Memory { get; init; }

    /// <summary>How many processes and threads it may have.</summary>
    public int? Processes { get; init; }

    /// <summary>How many processors' time it may use: 0.5 is half of one.</summary>
    public double? Processors { get; init; }
}
