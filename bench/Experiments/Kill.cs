using System.Diagnostics;
using System.Globalization;

namespace Skein.Bench.Experiments;

/// <summary>
/// Two workers are busy and a task waits; one worker is killed with SIGKILL. The figure is the time from the kernel's notice of its
/// end (its pidfd) to the first instruction of the waiting task. The other worker's task must come to its end.
/// </summary>
static class Kill
{
    static readonly TimeSpan Ready = TimeSpan.FromMilliseconds(500);

    public static Experiment Create(Scale scale) => new("kill", "SIGKILL of a busy worker, to the start of the waiting task", Unit.Milliseconds,
    [
        new Local("Skein, a spare", "2 workers, Place.OsProcess, Spares = 1", () => MeasureAsync(spares: 1)),
        new Local("Skein", "2 workers, Place.OsProcess, default options", () => MeasureAsync(spares: 0)),
        PeerProgram.Node("kill", "clone", 1, "2 threads, no spare; one calls process.exit, and the clock starts when its task has failed"),
        PeerProgram.Python("kill", "ppe", "fork", 1, "2 workers"),
        PeerProgram.Python("kill", "pool", "fork", 1, "2 workers; the killed worker's own task never completes"),
    ],
    [
        new("Skein, a spare", "piscina") { AtMost = 0.5 },
        new("Skein", "piscina"),
        new("Skein, a spare", "PPE fork"),
        new("Skein, a spare", "Pool fork"),
    ]);

    static async Task<double> MeasureAsync(int spares)
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = PoolContender.Workers, Spares = spares });
        var folder = Directory.CreateTempSubdirectory("skein-bench");
        try
        {
            await Task.Delay(Ready);   // a part of what is measured: by then the spare is as ready as it gets
            Task<int>[] held = [.. Enumerable.Range(0, PoolContender.Workers).Select(_ => pool.RunAsync(Hold, folder.FullName))];
            await Patience.Until(() => folder.GetFiles().Length == held.Length, "the tasks that hold the workers");
            var waiting = pool.RunAsync(static () => Stopwatch.GetTimestamp());
            await Task.Delay(TimeSpan.FromMilliseconds(20));   // so that it has long been waiting

            var victim = int.Parse(folder.GetFiles()[0].Name, CultureInfo.InvariantCulture);
            using var end = new EndOfProcess(victim);
            var noticed = end.KillAndWait();
            var started = await waiting.Within();

            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "over"), "");
            var fates = await Task.WhenAll(held.Select(task => task.ContinueWith(ended => ended.Exception?.InnerException, TaskScheduler.Default))).Within();
            return fates.Count(fate => fate is ProcessLostException) == 1 && fates.Count(fate => fate is null) == held.Length - 1
                ? Math.Max(0, Stopwatch.GetElapsedTime(noticed, started).TotalMilliseconds)   // the pool may be woken before the experiment is
                : throw new InvalidDataException($"not exactly the victim failed: {string.Join(", ", fates.Select(fate => fate?.Message ?? "completed"))}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Occupies a worker until it is killed or the folder says that it is over.</summary>
    static int Hold(string folder)
    {
        File.WriteAllText(Path.Combine(folder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), "");
        var started = Stopwatch.GetTimestamp();
        while (!File.Exists(Path.Combine(folder, "over")) && Stopwatch.GetElapsedTime(started) < Patience.Limit)
            Thread.Sleep(1);
        return Environment.ProcessId;
    }
}
