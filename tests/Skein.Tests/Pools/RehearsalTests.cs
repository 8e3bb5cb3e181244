using System.Diagnostics;
using System.Runtime;

namespace Skein.Tests.Pools;

public class RehearsalTests
{
    [Fact]
    public async Task A_spare_has_compiled_what_the_pools_tasks_need_before_its_first_task()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, Spares = 1 }).Within(20);
        await pool.RunAsync(Rehearsed.Measure).Within();
        await SpareIsIdle(pool);
        var killed = await KillWorkerAsync(pool);

        var first = await pool.RunAsync(Rehearsed.Measure).Within();
        var second = await pool.RunAsync(Rehearsed.Measure).Within();
        Assert.NotEqual(killed, first.Process);
        Assert.Equal(first.Process, second.Process);
        Assert.True(second.Compiled - first.Compiled <= 2, $"from the start of the first task to that of the second, {second.Compiled - first.Compiled} methods were compiled");
    }

    [Fact]
    public async Task A_spare_of_a_new_pool_has_compiled_what_an_earlier_pool_was_given()
    {
        await using (var earlier = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, Spares = 1 }).Within(20))
        {
            await earlier.RunAsync(Rehearsed.MeasureElsewhere).Within();
            await SpareIsIdle(earlier);
        }

        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, MinWorkers = 0, Spares = 1 }).Within(20);
        await SpareIsIdle(pool, processes: 1);

        var first = await pool.RunAsync(Rehearsed.MeasureElsewhere).Within();
        var second = await pool.RunAsync(Rehearsed.MeasureElsewhere).Within();
        Assert.Equal(first.Process, second.Process);
        Assert.Equal(1, first.Runs);
        Assert.True(second.Compiled - first.Compiled <= 2, $"from the start of the first task to that of the second, {second.Compiled - first.Compiled} methods were compiled");
    }

    [Fact]
    public async Task To_rehearse_a_function_runs_nothing_of_it()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, Spares = 1 }).Within(20);
        await pool.RunAsync(Rehearsed.Measure).Within();
        await SpareIsIdle(pool);
        var before = Stopwatch.GetTimestamp();
        await KillWorkerAsync(pool);

        var first = await pool.RunAsync(Rehearsed.Measure).Within();
        Assert.Equal(1, first.Runs);
        Assert.True(first.ClassInitialized > before, "the static constructor ran before the first task");
    }

    [Fact]
    public async Task A_function_that_cannot_travel_costs_no_spare()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, Spares = 1 }).Within(20);
        await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(static (Thread thread) => thread.ManagedThreadId, Thread.CurrentThread)).Within();
        await pool.RunAsync(Rehearsed.Measure).Within();
        await SpareIsIdle(pool);
        Assert.Equal(2, pool.StartedWorkers);
        await KillWorkerAsync(pool);
        Assert.Equal(1, (await pool.RunAsync(Rehearsed.Measure).Within()).Runs);
    }

    // It is told of kinds of tasks without anybody waiting for that: when its processor time stands still, it has done what it was told.
    static async Task SpareIsIdle(WorkerPool pool, int processes = 2)
    {
        await Limits.Until(() => pool.WorkerProcessIds.Count == processes, "the spare");
        var used = -1L;
        var still = 0;
        await Limits.Until(() =>
        {
            var now = pool.WorkerProcessIds.Sum(ProcessorTicks);
            still = now == used ? still + 1 : 0;
            used = now;
            return still == 150;
        }, "the spare to idle");
    }

    static long ProcessorTicks(int process)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].Split(' ');
        return long.Parse(fields[11], System.Globalization.CultureInfo.InvariantCulture) + long.Parse(fields[12], System.Globalization.CultureInfo.InvariantCulture);
    }

    static async Task<int> KillWorkerAsync(WorkerPool pool)
    {
        var worker = (await pool.RunAsync(Rehearsed.WhoAmI).Within());
        var started = pool.StartedWorkers;
        _ = Functions.Kill(worker, 9);
        await Limits.Until(() => pool.StartedWorkers > started && pool.WorkerCount == 1 && !pool.WorkerProcessIds.Contains(worker), "the spare in its place");
        return worker;
    }
}

static class Rehearsed
{
    public static int WhoAmI() => Environment.ProcessId;

    public static Measured Measure() => new(Environment.ProcessId, Initialized.Count(), Initialized.At, JitInfo.GetCompiledMethodCount(currentThread: true));

    // Of its own, so that no other test has made it known.
    public static (int Process, int Runs, long Compiled) MeasureElsewhere() => (Environment.ProcessId, Initialized.Count(), JitInfo.GetCompiledMethodCount(currentThread: true));

    public readonly record struct Measured(int Process, int Runs, long ClassInitialized, long Compiled);

    static class Initialized
    {
        static int _count;

        static Initialized() => At = Stopwatch.GetTimestamp();

        public static long At { get; }

        public static int Count() => ++_count;
    }
}
