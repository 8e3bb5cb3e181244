using System.Globalization;

namespace Skein;

/// <summary>The ids of what runs: one space for processes, workers and pools of this machine.</summary>
static class ProcessIds
{
    static int _count;

    /// <summary>The number of this operating-system process and a count: unique on the machine while it runs.</summary>
    public static string Next() => string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.{Interlocked.Increment(ref _count)}");
}
