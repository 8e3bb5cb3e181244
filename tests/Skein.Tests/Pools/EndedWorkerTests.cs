using System.Runtime.Versioning;

namespace Skein.Tests.Pools;

// A worker can end between any two steps of those who use it.
[SupportedOSPlatform("linux")]
public sealed class EndedWorkerTests : IWorkerOwner
{
    [Fact]
    public async Task Nobody_looks_for_ever_for_the_result_of_a_worker_that_has_ended()
    {
        var worker = await Ended();
        var unfinished = new WorkItem<int>(new SyncJob<int>(static () => 1));

        await Task.Run(() =>
        {
            var spin = new SpinPolicy();
            worker.Poll(unfinished, ref spin);
        }).Within();

        Assert.False(unfinished.IsCompleted);
    }

    [Fact]
    public async Task A_worker_that_has_ended_takes_no_call()
    {
        var worker = await Ended();
        Assert.False(worker.Submit(new WorkItem<int>(new SyncJob<int>(static () => 1))));
    }

    [Fact]
    public async Task A_pool_is_complete_again_however_early_its_workers_are_killed()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2, RestartIntensity = int.MaxValue }).Within(20);
        var random = new Random(12345);
        for (var kills = 0; kills < (Limits.Long ? 2_000 : 100);)
        {
            // Some as soon as they exist, some a moment later: the start of a worker takes some 50 ms.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), TimeProvider.System);
            foreach (var worker in pool.WorkerProcessIds)
                kills += Functions.Kill(worker, 9) == 0 ? 1 : 0;
        }

        await Limits.Until(() => pool.WorkerCount == 2, "both workers", 30);
        Assert.Equal(7, await pool.RunAsync(static () => 7).Within());
    }

    void IWorkerOwner.OnRoom(Worker worker) { }

    void IWorkerOwner.OnHandlerFailed(Worker worker, Exception error) { }

    void IWorkerOwner.OnEnded(Worker worker, Exit exit, IReadOnlyList<WorkItem> victims, IReadOnlyList<WorkItem> unstarted) { }

    async Task<OsProcessWorker> Ended()
    {
        var worker = OsProcessWorker.Start("ended", this, new());
        await worker.Ready.Within(20);
        worker.Kill(ExitCause.Killed);
        await worker.Exited.Within();
        return worker;
    }
}
