using System.Diagnostics;

namespace Skein.Bench.Experiments;

/// <summary>Many tasks that do nothing, all asked for at once, each with its own message and its own result.</summary>
static class Tasks
{
    public static Experiment Create(Scale scale) => new("tasks", "no-op tasks, a message each", Unit.PerSecond,
    [
        new PoolContender("Skein", "RunAsync of all, then Task.WhenAll", pool => MeasureAsync(pool, scale.Of(200_000))),
        PeerProgram.Python("tasks", "pool", "fork", scale.Of(50_000), "map(), chunksize 1"),
        PeerProgram.Python("tasks", "ppe", "fork", scale.Of(10_000), "map(), chunksize 1"),
        PeerProgram.Node("tasks", "clone", scale.Of(20_000), "run() of all, then Promise.all(), 2 threads"),
    ],
    [
        new("Skein", "Pool fork") { AtLeast = 8 },
        new("Skein", "PPE fork"),
        new("Skein", "piscina"),
    ]);

    static async Task<double> MeasureAsync(WorkerPool pool, int count)
    {
        var started = Stopwatch.GetTimestamp();
        var tasks = new Task<int>[count];
        for (var i = 0; i < count; i++)
            tasks[i] = pool.RunAsync(static x => x, i);
        var answers = await Task.WhenAll(tasks);
        var took = Stopwatch.GetElapsedTime(started);
        return answers.SequenceEqual(Enumerable.Range(0, count)) ? count / took.TotalSeconds : throw new InvalidDataException("the answers are not the arguments");
    }
}
