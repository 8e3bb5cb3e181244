namespace Skein.Bench.Experiments;

/// <summary>
/// Two workers are busy and a task waits; one worker is killed with SIGKILL. The figure is the time from the kernel's notice of its
/// end (its pidfd) to the first instruction of the waiting task.
/// </summary>
static class Kill
{
    public static Experiment Create(Scale scale) => new("kill", "SIGKILL of a busy worker, to the start of the waiting task", Unit.Milliseconds,
    [
        PeerProgram.Python("kill", "ppe", "fork", 1, "2 workers"),
        PeerProgram.Python("kill", "pool", "fork", 1, "2 workers; the killed worker's own task never completes"),
        PeerProgram.Node("kill", "clone", 1, "2 threads; one calls process.exit, and the clock starts when its task has failed"),
    ],
    [
        new("PPE fork"),
    ]);
}
