namespace Skein.Bench.Experiments;

/// <summary>
/// What an idle worker of eight costs: its proportional set size (Pss), after each has done a hundred small tasks or so, and has idled until
/// that does not change any more (a worker of ours gives back what it does not need after a second).
/// </summary>
static class IdleMemory
{
    const int Count = 8, TasksBefore = 800;

    static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1.5);

    public static Experiment Create(Scale scale) => new("idle-memory", "idle worker, Pss, at eight", Unit.Megabytes,
    [
        new Local("Skein", "8 workers, Place.OsProcess, default options", MeasureAsync),
        PeerProgram.Python("idle-memory", "pool", "fork", 1, "8 workers"),
        PeerProgram.Python("idle-memory", "ppe", "fork", 1, "8 workers"),
        PeerProgram.Node("idle-memory", "clone", 1, "8 threads: what they add to the program's Pss, by eight"),
    ],
    [
        new("Skein", "Pool fork") { AtMost = 6 },
        new("Skein", "PPE fork"),
        new("Skein", "piscina"),
    ]);

    static async Task<double> MeasureAsync()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = Count });
        await Task.WhenAll(Enumerable.Range(0, TasksBefore).Select(i => pool.RunAsync(static x => x, i)));
        var workers = pool.WorkerProcessIds;
        if (workers.Count != Count)
            throw new InvalidOperationException($"{workers.Count} workers instead of {Count}");
        var (before, now) = (double.MaxValue, double.MaxValue);
        for (var looks = 0; looks < 20 && (looks < 2 || Math.Abs(now - before) > before / 100); looks++)
        {
            await Task.Delay(BetweenLooks);
            (before, now) = (now, workers.Average(ProportionalMemory));
        }

        return now;
    }

    static double ProportionalMemory(int process)
    {
        var line = File.ReadLines($"/proc/{process}/smaps_rollup").Single(line => line.StartsWith("Pss:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024 / 1e6;
    }
}
