using System.Diagnostics;
using System.Runtime.Versioning;

namespace Skein.Tests.Child;

/// <summary>Pools are started and disposed of one after the other; prints what they have left.</summary>
[SupportedOSPlatform("linux")]
static class PoolsInARowCase
{
    /// <summary>Threads of the thread pool come and go by themselves.</summary>
    const int Slack = 4;

    public static async Task<int> Run(int count)
    {
        await Rounds(5);
        var before = Count();
        await Rounds(count);
        var (after, started) = (before, Stopwatch.GetTimestamp());
        do
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            after = Count();
            if (before.Zip(after).All(static pair => pair.Second.Number <= pair.First.Number + Slack))
            {
                Console.WriteLine("nothing is left");
                return 0;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));

        foreach (var ((what, was), (_, number)) in before.Zip(after))
            Console.WriteLine($"{what}: {was} after 5 pools, {number} after {count} more");
        return 1;
    }

    static async Task Rounds(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, MemoryLimit = 256 << 20 });
            if (await pool.RunAsync(static n => n, i) != i)
                throw new InvalidOperationException($"pool {i} has answered something else");
        }
    }

    static (string What, int Number)[] Count() =>
    [
        ("processes", ProcessStatus.ReadAll().Count(static process => process.Parent == Environment.ProcessId)),
        ("descriptors", Directory.EnumerateFileSystemEntries("/proc/self/fd").Count()),
        ("threads", Directory.EnumerateFileSystemEntries("/proc/self/task").Count()),
        ("mappings", File.ReadLines("/proc/self/maps").Count(static line => line.Contains("skein-worker", StringComparison.Ordinal))),
    ];
}
