using System.Collections.Concurrent;
using System.Runtime.Versioning;

namespace Skein.Tests.Faults;

// Workers that die before their first task.
[SupportedOSPlatform("linux")]
public sealed class PoolStartFaultTests : IDisposable
{
    readonly string _flag = Path.GetTempFileName();

    public void Dispose() => File.Delete(_flag);

    static Task<WorkerPool> Start(PoolOptions options) => WorkerPool.StartAsync(Place.OsProcess, options with { OnError = static _ => { } }).Within(20);

    static async Task StillWorks(WorkerPool pool) =>
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(Enumerable.Range(0, 100).Select(n => pool.RunAsync(static number => number, n))).Within(20));

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_pool_whose_initializer_kills_its_worker_does_not_start_and_says_so(int retries)
    {
        var lost = await Assert.ThrowsAnyAsync<Exception>(() => Start(new() { Workers = 1, Retries = retries, Initializer = static () => Pools.Functions.EndSelf() }));
        Assert.Contains("initializer", lost.Message, StringComparison.Ordinal);
        Assert.Contains("signal 9", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_whose_initializer_needs_too_much_memory_does_not_start()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => Start(new() { Workers = 1, MemoryLimit = 96 << 20, Initializer = static () => _ = Pools.Functions.TakeNative(600 << 20) }));
    }

    [Fact]
    public async Task Pauses_between_restarts_grow_and_a_success_ends_them()
    {
        var clock = new ManualTime();
        var flag = _flag;
        Action initializer = () =>
        {
            if (new FileInfo(flag).Length > 0)
                Pools.Functions.EndSelf();
        };
        await using var pool = await Start(new() { Workers = 1, RestartIntensity = 2, TimeProvider = clock, Initializer = initializer });

        for (var round = 0; round < 2; round++)
        {
            await File.WriteAllTextAsync(flag, "die");
            Assert.Equal(0, Pools.Functions.Kill(pool.WorkerProcessIds[0], 9));
            for (var (expected, paused) = (1, 0); paused < 4; paused++, expected *= 2)
            {
                var pause = await clock.NextDelay(TimeSpan.FromMilliseconds(500));
                var started = pool.StartedWorkers;
                Assert.InRange(pause.TotalSeconds, expected * 0.75, expected * 1.25);
                clock.Advance(pause - TimeSpan.FromMilliseconds(1));
                Assert.Equal(started, pool.StartedWorkers);
                if (paused == 3)
                    await File.WriteAllBytesAsync(flag, []);   // the next one lives
                clock.Advance(TimeSpan.FromMilliseconds(2));
            }

            await Limits.Until(() => pool.WorkerCount == 1, "a worker that lives");
            await StillWorks(pool);
        }
    }

    [Fact]
    public async Task Spares_that_keep_dying_are_replaced_with_pauses_too()
    {
        var clock = new ManualTime();
        await using var pool = await Start(new() { Workers = 1, Spares = 1, RestartIntensity = 2, TimeProvider = clock });
        var serving = await pool.RunAsync(static () => Environment.ProcessId).Within();
        for (var killed = 0; killed < 3; killed++)
        {
            await Limits.Until(() => pool.WorkerProcessIds.Count == 2, "a spare");
            var spare = pool.WorkerProcessIds.Single(process => process != serving);
            await Limits.Until(async () =>   // that idles: one that is lost while it starts is another matter
            {
                var before = ProcessUse.ProcessorTime(spare);
                await Task.Delay(TimeSpan.FromMilliseconds(150));
                return ProcessUse.ProcessorTime(spare) == before;
            }, () => "a spare that idles");
            Assert.Equal(0, Pools.Functions.Kill(spare, 9));
            await Limits.Until(() => !pool.WorkerProcessIds.Contains(spare), "its end");
        }

        var pause = await clock.NextDelay(TimeSpan.FromMilliseconds(500));
        Assert.InRange(pause.TotalSeconds, 0.75, 1.25);
        clock.Advance(pause);
        await Limits.Until(() => pool.WorkerProcessIds.Count == 2, "a spare again");
    }

    [Fact]
    public void A_pause_is_never_longer_than_a_minute_and_a_quarter_and_never_exactly_as_long_as_another()
    {
        var backoff = new Backoff(1);
        Assert.Equal(TimeSpan.Zero, backoff.AfterFailure());
        var pauses = Enumerable.Range(0, 40).Select(_ => backoff.AfterFailure()).ToArray();
        Assert.All(pauses[7..], pause => Assert.InRange(pause.TotalSeconds, 45, 75));
        Assert.True(pauses[7..].Distinct().Count() > 20);
        backoff.AfterSuccess();
        Assert.Equal(TimeSpan.Zero, backoff.AfterFailure());
    }

    [Fact]
    public async Task Workers_that_are_killed_while_they_start_are_replaced()
    {
        await using var pool = await Start(new() { Workers = 2, Spares = 1, RestartIntensity = int.MaxValue });
        var killed = new ConcurrentDictionary<int, bool>();
        var random = new Random(77);
        var started = TimeProvider.System.GetTimestamp();
        while (killed.Count < (Limits.Long ? 500 : 40))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(Limits.Long ? 300 : 30), $"only {killed.Count} kills");
            foreach (var process in pool.WorkerProcessIds.Where(process => !killed.ContainsKey(process)))
            {
                // Somewhere in its first moments: while the runtime starts, the first call is read, or it is added.
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)));
                if (Pools.Functions.Kill(process, 9) == 0)
                    killed[process] = true;
            }

            await Task.Yield();
        }

        await Limits.Until(() => pool.WorkerCount == 2 && pool.WorkerProcessIds.Count == 3 && pool.WorkerProcessIds.All(Pools.Functions.IsAlive), "two workers and a spare");
        await StillWorks(pool);
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_by_name()
    {
        void Refused(PoolOptions options, string name) => Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(options.Checked).ParamName);
        Refused(new() { Workers = 0 }, "Workers");
        Refused(new() { Workers = 2, MinWorkers = 3 }, "MinWorkers");
        Refused(new() { Workers = 2, MinWorkers = -1 }, "MinWorkers");
        Refused(new() { Spares = -1 }, "Spares");
        Refused(new() { QueueLimit = 0 }, "QueueLimit");
        Refused(new() { Retries = -1 }, "Retries");
        Refused(new() { RecycleAfter = 0 }, "RecycleAfter");
        Refused(new() { TaskTimeout = TimeSpan.Zero }, "TaskTimeout");
        Refused(new() { Grace = TimeSpan.FromSeconds(-1) }, "Grace");
        Refused(new() { IdleTimeout = TimeSpan.FromSeconds(-1) }, "IdleTimeout");
        Refused(new() { RestartIntensity = -1 }, "RestartIntensity");
        Refused(new() { MemoryLimit = 1000 }, "MemoryLimit");
        Refused(new() { SoftMemoryLimit = 0 }, "SoftMemoryLimit");
        Refused(new() { Niceness = 20 }, "Niceness");
        Refused(new() { Processors = [] }, "Processors");
        Refused(new() { Processors = [-1] }, "Processors");
    }
}
