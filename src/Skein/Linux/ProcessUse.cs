using System.Globalization;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>What a living process uses at this moment; null where it has ended (or is not ours to look at).</summary>
[SupportedOSPlatform("linux")]
static class ProcessUse
{
    /// <summary>The kernel reports processor time to programs in hundredths of a second, on every architecture.</summary>
    const long TicksPerClock = TimeSpan.TicksPerSecond / 100;

    /// <summary>Physical memory in bytes; what it shares with others counts in full. About 10 µs.</summary>
    public static long? ResidentBytes(int id)
    {
        Span<byte> buffer = stackalloc byte[256];
        var length = ProcessFile.Read($"/proc/{id}/statm", buffer);
        if (length <= 0)
            return null;

        // Pages: all, resident, shared, …
        var rest = buffer[(buffer.IndexOf((byte)' ') + 1)..length];
        return long.TryParse(rest[..rest.IndexOf((byte)' ')], CultureInfo.InvariantCulture, out var pages) ? pages * Environment.SystemPageSize : null;
    }

    /// <summary>
    /// Physical memory in bytes, where a page that several processes share counts for each only in part, so the figures of all add up.
    /// The kernel walks the pages for it: up to milliseconds.
    /// </summary>
    public static long? ProportionalBytes(int id)
    {
        Span<byte> buffer = stackalloc byte[4096];
        var length = ProcessFile.Read($"/proc/{id}/smaps_rollup", buffer);
        var at = buffer[..Math.Max(length, 0)].IndexOf("\nPss:"u8);
        if (at < 0)
            return null;
        var rest = buffer[(at + 5)..length].TrimStart((byte)' ');
        return long.TryParse(rest[..rest.IndexOf((byte)' ')], CultureInfo.InvariantCulture, out var kilobytes) ? kilobytes << 10 : null;
    }

    /// <summary>Processor time it used so far.</summary>
    public static TimeSpan? ProcessorTime(int id) =>
        ProcessStatus.Read(id) is { IsDead: false } status ? new(status.Ticks * TicksPerClock) : null;
}
