namespace Skein.Bench.Experiments;

/// <summary>What an idle worker of eight costs: its proportional set size (Pss), after each has done a hundred small tasks.</summary>
static class IdleMemory
{
    public static Experiment Create(Scale scale) => new("idle-memory", "idle worker, Pss, at eight", Unit.Megabytes,
    [
        PeerProgram.Python("idle-memory", "ppe", "fork", 1, "8 workers"),
        PeerProgram.Python("idle-memory", "pool", "fork", 1, "8 workers"),
        PeerProgram.Node("idle-memory", "clone", 1, "8 threads: what they add to the program's Pss, by eight"),
    ],
    [
        new("PPE fork"),
    ]);
}
