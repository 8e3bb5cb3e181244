using System.Diagnostics;

namespace Skein.Bench.Experiments;

/// <summary>From nothing to the first result: in a program that has just been started, a pool is opened and asked for one task.</summary>
static class FirstResult
{
    /// <summary>The argument that makes this program the one that has just been started.</summary>
    public const string Argument = "--first-result";

    /// <summary>The same for a program whose pool has a spare.</summary>
    public const string SpareArgument = "--first-result-spare";

    public static Experiment Cold(Scale scale) => new("first-result", "first result from nothing, in a fresh program", Unit.Milliseconds,
    [
        new FreshProgram("Skein", "WorkerPool.StartAsync, RunAsync; 2 workers, Place.OsProcess, default options", Path.Combine(AppContext.BaseDirectory, "Skein.Bench"), Argument),
        Python("ppe", "spawn"),
        Python("pool", "spawn"),
        Python("ppe", "fork"),
        new FreshProgram("piscina", "new Piscina, run(); 2 threads; imports done before", Peers.Node, Peers.NodeScript, "first-result", "clone", "1"),
    ],
    [
        new("Skein", "PPE spawn") { AtLeast = 1 },
        new("Skein", "Pool spawn") { AtLeast = 1 },
        new("Skein", "PPE fork"),
        new("Skein", "piscina"),
    ]);

    /// <summary>
    /// The same when a process is kept ready: a pool without workers, but with a spare, gets its first task. What a spare can prepare is
    /// what was known when it started, so there are two figures: another pool with a spare had been given the function before, or nobody.
    /// </summary>
    public static Experiment Spare(Scale scale) => new("first-result-spare", "first result of a pool that has no worker, but a spare", Unit.Milliseconds,
    [
        new Local("Skein, function known", "RunAsync; MinWorkers = 0, Spares = 1; in a warm program, in which an earlier pool with a spare had run the same function", MeasureSpareAsync),
        new FreshProgram("Skein, function never seen", "RunAsync; MinWorkers = 0, Spares = 1; in a fresh program, in which no function was ever sent", Path.Combine(AppContext.BaseDirectory, "Skein.Bench"), SpareArgument),
    ],
    [
        new("Skein, function known") { AtMost = 0.3 },
        new("Skein, function never seen") { AtMost = 0.3 },
    ]);

    /// <summary>Runs in the fresh program.</summary>
    public static async Task<int> RunAsync()
    {
        var started = Stopwatch.GetTimestamp();
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = PoolContender.Workers });
        var answer = await pool.RunAsync(static x => x * 2, 21).Within();
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        await FreshProgram.TellAsync(took);
        return answer == 42 ? 0 : 70;
    }

    /// <summary>Runs in the fresh program.</summary>
    public static async Task<int> RunSpareAsync()
    {
        await FreshProgram.TellAsync(await MeasureOnceAsync());
        return 0;
    }

    static async Task<double> MeasureSpareAsync()
    {
        await MeasureOnceAsync();   // this is how the function becomes known
        return await MeasureOnceAsync();
    }

    static async Task<double> MeasureOnceAsync()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = PoolContender.Workers, MinWorkers = 0, Spares = 1 });
        await Task.Delay(TimeSpan.FromMilliseconds(500 + Random.Shared.Next(200)));   // the spare is ready; not in step with any timer
        var started = Stopwatch.GetTimestamp();
        var answer = await pool.RunAsync(static x => x * 2, 21).Within();
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return answer == 42 ? took : throw new InvalidDataException($"42 came back as {answer}");
    }

    static FreshProgram Python(string kind, string start) =>
        new(kind == "ppe" ? $"PPE {start}" : $"Pool {start}",
            $"{(kind == "ppe" ? "ProcessPoolExecutor, submit()" : "multiprocessing.Pool, apply()")}, {start}; imports done before",
            Peers.Python, Peers.PythonScript, "first-result", kind, start, "1");
}
