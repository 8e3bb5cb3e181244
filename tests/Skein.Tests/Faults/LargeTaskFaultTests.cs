using System.Runtime.Versioning;

namespace Skein.Tests.Faults;

// Arguments and results that do not fit into the rings.
[SupportedOSPlatform("linux")]
public sealed class LargeTaskFaultTests
{
    const int Ring = 512 * 1024;

    static Task<WorkerPool> Start(PoolOptions? options = null) =>
        WorkerPool.StartAsync(Place.OsProcess, (options ?? new() { Workers = 2 }) with { OnError = static _ => { } }).Within(20);

    static async Task StillWorks(WorkerPool pool) =>
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(Enumerable.Range(0, 100).Select(n => pool.RunAsync(static number => number, n))).Within(20));

    [Fact]
    public async Task Large_arguments_and_large_results_pass_each_other()
    {
        var (size, tasks) = Limits.Long ? (16 << 20, 50) : (4 << 20, 50);
        await using var pool = await Start();
        var argument = new byte[size];
        new Random(1).NextBytes(argument);
        await Parallel.ForEachAsync(Enumerable.Range(0, tasks), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, cancellation) =>
        {
            var result = await pool.RunAsync(static (bytes, mask) =>
            {
                for (var i = 0; i < bytes.Length; i++)
                    bytes[i] ^= (byte)mask;
                return bytes;
            }, argument, number, cancellation).Within(60);
            Assert.Equal(argument.Length, result.Length);
            for (var i = 0; i < result.Length; i++)
            {
                if (result[i] != (byte)(argument[i] ^ number))
                    Assert.Fail($"byte {i} of task {number} is wrong");
            }
        });
        Assert.Equal(2, pool.StartedWorkers);
    }

    // Those that wait are sent ahead by the thread that has just received a result, while the worker sends the next one.
    [Fact]
    public async Task Large_results_are_received_while_large_arguments_are_sent()
    {
        const int Ahead = 32, Length = 2 * Ring;
        await using var pool = await Start(new() { Workers = 1 });
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => pool.RunAsync(static () => 0))).Within();   // now it is known that tasks are short
        var open = new TaskCompletionSource<int>();
        var gate = pool.RunAsync(static wait => wait.InvokeAsync(0), Callback.To((int _) => open.Task));
        var small = Enumerable.Range(1, Ahead).Select(_ => pool.RunAsync(static () => 0)).ToArray();
        var large = Enumerable.Range(0, 40).Select(_ => pool.RunAsync(static bytes => bytes, new byte[Length])).ToArray();
        Assert.InRange(pool.WaitingCount, large.Length, int.MaxValue);
        open.SetResult(0);
        await Task.WhenAll([gate, .. small]).Within(15);
        Assert.All(await Task.WhenAll(large).Within(15), result => Assert.Equal(Length, result.Length));
    }

    [Fact]
    public async Task Who_asks_for_a_large_task_does_not_wait_behind_the_one_that_runs()
    {
        await using var pool = await Start(new() { Workers = 1 });
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => pool.RunAsync(static () => 0))).Within();   // now it is known that tasks are short
        var open = new TaskCompletionSource<int>();
        var gate = pool.RunAsync(static wait => wait.InvokeAsync(0), Callback.To((int _) => open.Task));
        for (var round = 0; round < 3; round++)
        {
            Task<int>? large = null;
            await Task.Run(() => { large = pool.RunAsync(static bytes => bytes.Length, new byte[(8 << round) * Ring]); }).Within();
            Assert.False(gate.IsCompleted);
            Assert.Equal(1, pool.WaitingCount);
            open.SetResult(0);
            await gate.Within();
            Assert.Equal((8 << round) * Ring, await large!.Within());   // what the worker had of it already is no part of anything
            await StillWorks(pool);
            var again = open = new();
            gate = pool.RunAsync(static wait => wait.InvokeAsync(0), Callback.To((int _) => again.Task));
        }

        open.SetResult(0);
        await gate.Within();
        Assert.Equal(1, pool.StartedWorkers);
    }

    // A lease has gone its own way before: what comes with it cannot be cut off.
    [Fact]
    public async Task Time_outs_are_kept_while_a_large_task_waits_for_workers_that_hang()
    {
        await using var pool = await Start(new() { Workers = 2, TaskTimeout = TimeSpan.FromSeconds(1), Grace = TimeSpan.FromMilliseconds(100) });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => pool.RunAsync(static () => 0))).Within();   // now it is known that tasks are short
        var hanging = Enumerable.Range(0, 2).Select(_ => pool.RunAsync(static () => Pools.Functions.NativeSleep(600))).ToArray();
        using var lease = Lease.Rent(Ring);
        var large = Task.Run(() => pool.RunAsync(static (shared, bytes) => shared.Length + bytes.Length, lease, new byte[4 * Ring]));
        foreach (var task in hanging)
            Assert.Contains("longer than", (await Assert.ThrowsAsync<TimeoutException>(() => task.Within(20))).Message, StringComparison.Ordinal);
        Assert.Equal(5 * Ring, await large.Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_is_killed_while_it_reads_a_large_task_costs_only_that()
    {
        for (var round = 0; round < (Limits.Long ? 50 : 3); round++)
        {
            await using var pool = await Start();
            var (slow, fast) = (pool.WorkerProcessIds[0], pool.WorkerProcessIds[1]);
            Assert.Equal(0, Pools.Functions.Kill(slow, 19));   // now it reads no more than it has read
            Assert.Equal(0, Pools.Functions.Kill(fast, 19));
            var large = Enumerable.Range(0, 2).Select(n => Task.Run(() => pool.RunAsync(static bytes => bytes.Length, new byte[64 * Ring + n]))).ToArray();
            await Limits.Until(() => pool.BusyCount == 2, "both workers to be sent to");
            Assert.Equal(0, Pools.Functions.Kill(fast, 18));
            Assert.Equal(0, Pools.Functions.Kill(slow, 9));

            // What was not read whole was not started: it goes to another worker.
            Assert.Equal([64 * Ring, 64 * Ring + 1], (await Task.WhenAll(large).Within(20)).Order());
            await StillWorks(pool);
        }
    }

    [Fact]
    public async Task A_worker_that_is_killed_while_it_writes_a_large_result_costs_only_that()
    {
        for (var round = 0; round < (Limits.Long ? 50 : 3); round++)
        {
            await using var pool = await Start();
            var other = pool.RunAsync(static async () => { await Task.Delay(TimeSpan.FromMilliseconds(200)); return 5; });
            var victim = pool.RunAsync(static delay =>
            {
                new Thread(() =>
                {
                    Thread.Sleep(TimeSpan.FromMilliseconds(delay));
                    Pools.Functions.EndSelf();
                }).Start();
                return new byte[512 << 20];
            }, 20 + round * 7);
            await Assert.ThrowsAsync<ProcessLostException>(() => victim.Within(20));
            Assert.Equal(5, await other.Within());
            await StillWorks(pool);
        }
    }

    [Fact]
    public async Task A_worker_that_dies_while_it_is_sent_what_another_one_lost_is_replaced_too()
    {
        // The thread that hears of the first death gives the task to the second worker, and must hear of its death too.
        foreach (var first in new[] { 0, 1 })   // one of them is the one that got the task
        {
            await using var pool = await Start();
            int[] workers = [.. pool.WorkerProcessIds];
            foreach (var worker in workers)
                Assert.Equal(0, Pools.Functions.Kill(worker, 19));
            var task = Task.Run(() => pool.RunAsync(static bytes => bytes.Length, new byte[32 * Ring]));
            await Limits.Until(() => pool.BusyCount == 1, "a worker to be sent to");
            Assert.Equal(0, Pools.Functions.Kill(workers[first], 9));
            await Limits.Until(() => !Pools.Functions.IsAlive(workers[first]) && pool.BusyCount == 1, "a worker to be sent to again");
            Assert.Equal(0, Pools.Functions.Kill(workers[1 - first], 9));
            Assert.Equal(32 * Ring, await task.Within(20));
            await StillWorks(pool);
        }
    }

    [Fact]
    public async Task An_argument_and_a_result_over_the_limit_are_refused_with_size_and_limit()
    {
        await using var pool = await Start(new() { Workers = 1 });
        var argument = await Assert.ThrowsAsync<MessageTooLargeException>(() => pool.RunAsync(static bytes => bytes.Length, GC.AllocateUninitializedArray<byte>(2_000_000_000)).Within(20));
        Assert.Contains("2,000,000,", argument.Message, StringComparison.Ordinal);
        Assert.Contains("1,073,741,824", argument.Message, StringComparison.Ordinal);
        await StillWorks(pool);
        var result = await Assert.ThrowsAsync<MessageTooLargeException>(() => pool.RunAsync(static () => GC.AllocateUninitializedArray<byte>(2_000_000_000)).Within(20));
        Assert.Contains("2,000,000,", result.Message, StringComparison.Ordinal);
        await StillWorks(pool);
        Assert.Equal(1, pool.StartedWorkers);
    }
}
