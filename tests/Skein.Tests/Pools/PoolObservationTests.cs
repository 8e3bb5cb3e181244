using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.Versioning;

namespace Skein.Tests.Pools;

// What can be seen of a pool from outside: metrics, traces, and what its workers are held to.
[SupportedOSPlatform("linux")]
public sealed class PoolObservationTests
{
    static Task<WorkerPool> Start(PoolOptions options) => WorkerPool.StartAsync(Place.OsProcess, options with { OnError = static _ => { } }).Within(20);

    [Fact]
    public async Task Metrics_count_what_happened_to_tasks_and_workers()
    {
        var sums = new ConcurrentDictionary<string, double>();
        await using var pool = await Start(new() { Workers = 2, TaskTimeout = TimeSpan.FromSeconds(2), Grace = TimeSpan.FromMilliseconds(50) });
        using var listener = new MeterListener { InstrumentPublished = (instrument, all) => { if (instrument.Meter.Name == "Skein") all.EnableMeasurementEvents(instrument); } };
        void Count(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var (key, id) in tags)
            {
                if (key == "pool" && pool.Id.Equals(id))
                    sums.AddOrUpdate(name, value, (_, sum) => name.EndsWith("workers", StringComparison.Ordinal) ? value : sum + value);
            }
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Count(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Count(instrument.Name, 1, tags));
        listener.Start();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => pool.RunAsync(static number => number, n))).Within();
        await Assert.ThrowsAsync<FormatException>(() => pool.RunAsync(static () => throw new FormatException("no")).Within());
        await Assert.ThrowsAsync<ProcessLostException>(() => pool.RunAsync(static () => { Functions.EndSelf(); return 1; }).Within());
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static () => { while (true) { } }).Within());
        await Limits.Until(() => pool.WorkerCount == 2, "two workers again");
        listener.RecordObservableInstruments();

        Assert.Equal(20, sums["skein.pool.tasks.completed"]);
        Assert.Equal(3, sums["skein.pool.tasks.failed"]);
        Assert.Equal(1, sums["skein.pool.tasks.timed_out"]);
        Assert.Equal(2, sums["skein.pool.workers.lost"]);
        Assert.Equal(2, sums["skein.pool.workers.started"]);   // after the listener was: those in the place of the lost ones
        Assert.Equal(2, sums["skein.pool.workers"]);
        Assert.Equal(23, sums["skein.pool.task.wait"]);
    }

    static ActivityListener Listen(Action<Activity> stopped)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Skein",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    [Fact]
    public async Task Who_cancels_a_traced_task_stays_in_an_activity_of_its_own()
    {
        using var listener = Listen(static _ => { });
        await using var pool = await Start(new() { Workers = 1 });
        var running = pool.RunAsync(static async () => await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping));
        await Limits.Until(() => pool.WaitingCount == 0, "the first task to run");
        using var source = new CancellationTokenSource();
        using var asks = new Activity("asks").Start();
        var waiting = pool.RunAsync(static () => 1, source.Token);
        asks.Stop();
        using var cancels = new Activity("cancels").Start();
        Cancel();
        Assert.True(waiting.IsCanceled);
        Assert.Same(cancels, Activity.Current);
        Assert.False(running.IsCompleted);

        void Cancel() => source.Cancel();   // on this thread
    }

    [Fact]
    public async Task A_trace_goes_on_in_the_worker()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = Listen(stopped.Enqueue);
        await using var pool = await Start(new() { Workers = 1 });
        using var around = new Activity("around").SetIdFormat(ActivityIdFormat.W3C).Start();

        var (trace, parent) = await pool.RunAsync(static () => (Activity.Current!.TraceId.ToHexString(), Activity.Current.ParentSpanId.ToHexString())).Within();

        Assert.Equal(around.TraceId.ToHexString(), trace);
        await Limits.Until(() => stopped.Any(activity => activity.SpanId.ToHexString() == parent), "the caller's span");
        Assert.Same(around, Activity.Current);
        await Assert.ThrowsAsync<FormatException>(() => pool.RunAsync(static () => throw new FormatException("no")).Within());
        await Limits.Until(() => stopped.Any(activity => activity.TraceId == around.TraceId && activity.Status == ActivityStatusCode.Error), "the failed span");
    }

    [Fact]
    public async Task Without_a_listener_a_task_knows_the_callers_activity_all_the_same()
    {
        await using var pool = await Start(new() { Workers = 1 });
        using var around = new Activity("around").SetIdFormat(ActivityIdFormat.W3C).Start();
        Assert.Equal(around.TraceId.ToHexString(), await pool.RunAsync(static () => Activity.Current!.TraceId.ToHexString()).Within());
        around.Stop();
        Assert.Null(await pool.RunAsync(static () => Activity.Current?.Id).Within());
    }

    [Fact]
    public async Task The_pool_grows_when_tasks_wait_and_shrinks_when_workers_idle()
    {
        await using var pool = await Start(new() { Workers = 3, MinWorkers = 1, IdleTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(1, pool.WorkerCount);
        using var over = new CancellationTokenSource();
        var token = over.Token;
        var tasks = Enumerable.Range(0, 3).Select(_ => pool.RunAsync(static async stop => { await Task.Delay(Timeout.Infinite, stop).ContinueWith(static _ => { }, TaskScheduler.Default); return Environment.ProcessId; }, token)).ToArray();
        await Limits.Until(() => pool.BusyCount == 3, "three busy workers");
        await over.CancelAsync();
        Assert.Equal(3, (await Task.WhenAll(tasks).Within()).Distinct().Count());
        await Limits.Until(() => pool.WorkerCount == 1, "one worker that serves");
        await Limits.Until(() => pool.WorkerProcessIds.Count == 1, "one process");
        Assert.Equal(7, await pool.RunAsync(static () => 7).Within());
    }

    [Fact]
    public async Task A_worker_that_has_grown_beyond_the_soft_limit_is_replaced_between_its_tasks()
    {
        await using var pool = await Start(new() { Workers = 1, SoftMemoryLimit = 200 << 20 });
        var before = await pool.RunAsync(static () => Environment.ProcessId).Within();
        var ran = await pool.RunAsync(static async () =>
        {
            Functions.Keep(300 << 20);
            await Task.Delay(TimeSpan.FromSeconds(2.5));   // seen too large, and not disturbed
            return Environment.ProcessId;
        }).Within(20);
        Assert.Equal(before, ran);
        await Limits.Until(() => !Functions.IsAlive(before), "the grown worker to go");
        Assert.NotEqual(before, await pool.RunAsync(static () => Environment.ProcessId).Within());
        Assert.Equal(2, pool.StartedWorkers);
    }

    [Fact]
    public async Task A_task_that_needs_too_much_memory_is_tried_once_more_and_then_fails_with_that_reason()
    {
        var tries = Path.GetTempFileName();
        try
        {
            await using var pool = await Start(new() { Workers = 1, MemoryLimit = 128 << 20 });
            Assert.NotNull(pool.MemoryLimitKind);
            var lost = await Assert.ThrowsAsync<ProcessLostException>(() => pool.RunAsync(static file =>
            {
                File.AppendAllText(file, "x");
                return Functions.TakeNative(600 << 20);
            }, tries).Within(20));
            Assert.Equal(ExitCause.OutOfMemory, lost.Exit.Cause);
            Assert.Contains("memory", lost.Message, StringComparison.Ordinal);
            Assert.Equal("xx", await File.ReadAllTextAsync(tries));
        }
        finally
        {
            File.Delete(tries);
        }
    }

    [Fact]
    public async Task Processors_niceness_environment_and_folder_are_those_that_were_asked_for()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            await using var pool = await Start(new()
            {
                Workers = 2,
                Processors = [0],
                Niceness = 7,
                WorkingDirectory = folder.FullName,
                Environment = new Dictionary<string, string> { ["COLOUR"] = "green", ["HOME"] = "/nowhere" },
            });
            foreach (var process in pool.WorkerProcessIds)
            {
                Assert.Contains("\nCpus_allowed_list:\t0\n", await File.ReadAllTextAsync($"/proc/{process}/status"), StringComparison.Ordinal);
                var fields = (await File.ReadAllTextAsync($"/proc/{process}/stat")).Split(") ")[^1].Split(' ');
                Assert.Equal("7", fields[16]);
                Assert.Equal(folder.FullName, new FileInfo($"/proc/{process}/cwd").LinkTarget);
            }

            Assert.Equal(("green", "/nowhere", folder.FullName), await pool.RunAsync(static () =>
                (Environment.GetEnvironmentVariable("COLOUR"), Environment.GetEnvironmentVariable("HOME"), Environment.CurrentDirectory)).Within());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task An_exception_brings_its_data_its_causes_and_where_it_was_thrown()
    {
        await using var pool = await Start(new() { Workers = 1 });
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => pool.RunAsync(static () => Functions.ThrowDeep()).Within());
        Assert.Equal("outer", error.Message);
        Assert.Equal("17", error.Data["number"]?.ToString());
        Assert.Equal("inner", Assert.IsType<FormatException>(error.InnerException).Message);
        Assert.Contains(nameof(Functions.ThrowDeep), error.ToString(), StringComparison.Ordinal);
        var remote = await Assert.ThrowsAnyAsync<Exception>(() => pool.RunAsync(static () => throw new Handmade(Functions.Cause(), File.OpenRead("/etc/passwd"))).Within());
        Assert.Contains("cannot leave", remote.Message, StringComparison.Ordinal);
        Assert.Contains("inner", remote.ToString(), StringComparison.Ordinal);
        Assert.Contains(nameof(Handmade), remote.ToString(), StringComparison.Ordinal);
    }

    /// <summary>An exception with a field that belongs to its place: only its description can arrive.</summary>
    sealed class Handmade(Exception cause, FileStream file) : Exception("cannot leave", cause)
    {
        public FileStream File => file;
    }
}

static partial class Functions
{
    static byte[]? _kept;

    public static void Keep(int bytes)
    {
        _kept = new byte[bytes];
        for (var i = 0; i < bytes; i += 4096)
            _kept[i] = 1;
    }

    public static FormatException Cause() => new("inner");

    public static int ThrowDeep()
    {
        var error = new InvalidOperationException("outer", Cause());
        error.Data["number"] = 17;
        throw error;
    }
}
