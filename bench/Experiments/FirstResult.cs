namespace Skein.Bench.Experiments;

/// <summary>From nothing to the first result: in a program that has just been started, a pool is opened and asked for one task.</summary>
static class FirstResult
{
    public static Experiment Create(Scale scale) => new("first-result", "first result from nothing, in a fresh program", Unit.Milliseconds,
    [
        Python("ppe", "spawn"),
        Python("ppe", "fork"),
        Python("pool", "spawn"),
        new FreshProgram("piscina", "new Piscina, run(); 2 threads; imports done before", whole: false, Peers.Node, Peers.NodeScript, "first-result", "clone", "1"),
    ],
    [
        new("PPE spawn"),
    ]);

    static FreshProgram Python(string kind, string start) =>
        new(kind == "ppe" ? $"PPE {start}" : $"Pool {start}",
            $"{(kind == "ppe" ? "ProcessPoolExecutor, submit()" : "multiprocessing.Pool, apply()")}, {start}; imports done before",
            whole: false, Peers.Python, Peers.PythonScript, "first-result", kind, start, "1");
}
