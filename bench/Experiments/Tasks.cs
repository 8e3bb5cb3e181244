namespace Skein.Bench.Experiments;

/// <summary>Many tasks that do nothing, all asked for at once, each with its own message and its own result.</summary>
static class Tasks
{
    public static Experiment Create(Scale scale) => new("tasks", "no-op tasks, a message each", Unit.PerSecond,
    [
        PeerProgram.Python("tasks", "ppe", "fork", scale.Of(10_000), "map(), chunksize 1"),
        PeerProgram.Python("tasks", "pool", "fork", scale.Of(50_000), "map(), chunksize 1"),
        PeerProgram.Node("tasks", "clone", scale.Of(20_000), "run() of all, then Promise.all(), 2 threads"),
    ],
    [
        new("PPE fork"),
    ]);
}
