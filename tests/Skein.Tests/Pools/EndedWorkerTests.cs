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

    // A process is sent its one call, and at once that there will be no other.
    [Fact]
    public async Task A_call_that_comes_just_before_the_end_of_calls_is_received()
    {
        using var region = MemoryRegion.Create("ended", Ring.Size(4096));
        for (var round = 0; round < (Limits.Long ? 20_000 : 200); round++)
        {
            Clear(region);
            var calls = RingIn(region);
            var sending = Task.Run(() =>
            {
                new RingSender(calls).Send([1, 2, 3]);
                calls.Close();
            });
            Assert.True(IsReceived(RingIn(region)), $"the call of round {round} was not received");
            await sending.Within();
        }
    }

    static unsafe Ring RingIn(MemoryRegion region) => new(region.Pointer, 4096);

    static unsafe void Clear(MemoryRegion region) => new Span<byte>(region.Pointer, 4096).Clear();

    static bool IsReceived(Ring calls)
    {
        var receiver = new RingReceiver(calls);
        while (true)
        {
            if (receiver.TryReceive(out _, out var isOver))
                return true;
            if (isOver)
                return false;
        }
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

        await Limits.Until(() => pool.WorkerCount == 2 && pool.WorkerProcessIds.Count == 2, "both workers, alive", 30);
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
