using System.Diagnostics;

namespace Skein.Tests.Pools;

// What happens to workers, and what must not happen to others.
public class PoolFaultTests
{
    static Task<WorkerPool> Start(PoolOptions? options = null) => WorkerPool.StartAsync(Place.OsProcess, (options ?? new() { Workers = 2 }) with { OnError = static _ => { } }).Within(20);

    static async Task StillWorks(WorkerPool pool) =>
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(Enumerable.Range(0, 100).Select(n => pool.RunAsync(static number => number, n))).Within(20));

    static void KillNow(int process) => Process.GetProcessById(process).Kill();

    static async Task<ProcessLostException> Lost(Task task) => await Assert.ThrowsAsync<ProcessLostException>(() => task.Within(20));

    [Fact]
    public async Task An_idle_worker_that_is_killed_is_replaced()
    {
        await using var pool = await Start();
        foreach (var process in pool.WorkerProcessIds)
            KillNow(process);
        await StillWorks(pool);
        await Limits.Until(() => pool.WorkerCount == 2, "two workers again");
    }

    [Fact]
    public async Task A_worker_that_is_killed_costs_only_its_own_task()
    {
        await using var pool = await Start();
        var other = pool.RunAsync(static async () => { await Task.Delay(TimeSpan.FromMilliseconds(300)); return 5; });
        var victim = pool.RunAsync(static () => { Functions.EndSelf(); return 1; });
        var lost = await Lost(victim);
        Assert.Equal((ExitCause.Signalled, 9), (lost.Exit.Cause, lost.Exit.Signal));
        Assert.Equal(5, await other.Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_overflows_its_stack_is_lost_with_its_own_task_and_says_why()
    {
        await using var pool = await Start();
        var lost = await Lost(pool.RunAsync(static () => Functions.Overflow(1)));
        Assert.Equal(6, lost.Exit.Signal);
        Assert.Contains("Stack overflow", lost.Message, StringComparison.OrdinalIgnoreCase);
        await StillWorks(pool);
    }

    [Fact]
    public async Task FailFast_and_Exit_cost_their_own_task()
    {
        await using var pool = await Start();
        var failed = await Lost(pool.RunAsync(static () => Environment.FailFast("enough")));
        Assert.Equal(6, failed.Exit.Signal);
        Assert.Contains("enough", failed.Message, StringComparison.Ordinal);
        var exited = await Lost(pool.RunAsync(Functions.ExitWith, 3));
        Assert.Equal((ExitCause.Returned, 3), (exited.Exit.Cause, exited.Exit.Code));
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_is_killed_in_native_code_costs_only_its_own_task()
    {
        await using var pool = await Start();
        var busy = new TaskCompletionSource<int>();
        var victim = pool.RunAsync(static report => { report.Report(Environment.ProcessId); return Functions.NativeSleep(600); }, (IProgress<int>)new Progress<int>(busy.SetResult));
        KillNow(await busy.Task.Within());
        await Lost(victim);
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_task_that_spins_for_ever_in_managed_or_native_code_is_ended_by_its_time_out()
    {
        await using var pool = await Start(new() { Workers = 2, TaskTimeout = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(0.25) });
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static () => { while (true) { } }).Within());
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static () => Functions.NativeSleep(600)).Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_task_that_listens_may_end_by_itself_when_its_time_is_up()
    {
        await using var pool = await Start(new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(100), Grace = TimeSpan.FromSeconds(30) });
        var before = pool.WorkerProcessIds;
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping)).Within());
        await StillWorks(pool);
        Assert.Equal(before, pool.WorkerProcessIds);
    }

    [Fact]
    public async Task A_stopped_worker_is_ended_by_its_time_out()
    {
        await using var pool = await Start(new() { Workers = 2, TaskTimeout = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(0.25) });
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static () => { Functions.StopSelf(); return 1; }).Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_is_stopped_before_its_task_starts_is_replaced_and_the_task_is_done()
    {
        await using var pool = await Start(new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(0.25) });
        var stopped = pool.WorkerProcessIds[0];
        Assert.Equal(0, Functions.Kill(stopped, 19));
        Assert.NotEqual(stopped, await pool.RunAsync(static () => Environment.ProcessId).Within(20));
    }

    [Fact]
    public async Task A_result_that_cannot_travel_is_refused_with_the_path_to_it()
    {
        await using var pool = await Start(new() { Workers = 1 });
        var refused = await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(static () => new object[] { new MemoryStream() }).Within());
        Assert.Equal((typeof(MemoryStream), true), (refused.Type, refused.Path.Contains("[0]", StringComparison.Ordinal)));
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_cancelled_task_that_does_not_listen_is_killed()
    {
        await using var pool = await Start(new() { Workers = 1, Grace = TimeSpan.FromMilliseconds(50) });
        using var source = new CancellationTokenSource();
        var task = pool.RunAsync(static () => { while (true) { } }, source.Token);
        await Limits.Until(() => pool.BusyCount == 1, "the task to run");
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_runs_out_of_memory_is_told_apart_from_one_that_was_killed()
    {
        await using var pool = await Start(new() { Workers = 2, MemoryLimit = 128 << 20 });
        var lost = await Lost(pool.RunAsync(static () => Functions.TakeNative(600 << 20)));
        Assert.Equal(ExitCause.OutOfMemory, lost.Exit.Cause);
        Assert.NotNull(pool.MemoryLimitKind);
        await StillWorks(pool);
        var killed = await Lost(pool.RunAsync(static () => { Functions.EndSelf(); return 1; }));
        Assert.Equal(ExitCause.Signalled, killed.Exit.Cause);
    }

    [Fact]
    public async Task The_children_of_a_worker_end_with_it()
    {
        await using var pool = await Start();
        var child = await pool.RunAsync(static () => Process.Start("sleep", "600").Id).Within();
        Assert.True(Directory.Exists($"/proc/{child}"));
        var escaped = await pool.RunAsync(static () => Functions.StartEscaped()).Within();
        foreach (var process in pool.WorkerProcessIds)
            KillNow(process);
        await Limits.Until(() => !Functions.IsAlive(child) && !Functions.IsAlive(escaped), "the children to end");
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_strange_exception_costs_nobody_more_than_its_own_task()
    {
        await using var pool = await Start();
        var odd = await Assert.ThrowsAnyAsync<Exception>(() => pool.RunAsync(static () => throw new OddException(1, "two")).Within());
        Assert.Contains("one 1 and two", odd.Message, StringComparison.Ordinal);
        var hostile = await Assert.ThrowsAnyAsync<Exception>(() => pool.RunAsync(static () => throw new HostileException()).Within());
        Assert.Contains(nameof(HostileException), hostile.ToString(), StringComparison.Ordinal);
        await StillWorks(pool);
        Assert.Equal(2, pool.StartedWorkers);
    }

    [Fact]
    public async Task What_cannot_travel_is_refused_with_the_path_to_it()
    {
        await using var pool = await Start();
        using var file = File.OpenRead("/etc/passwd");
        var captured = await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(() => file.Length).Within());
        Assert.Contains("file", captured.Path, StringComparison.Ordinal);
        Assert.Contains(nameof(FileStream), captured.Message, StringComparison.Ordinal);
        var result = await Assert.ThrowsAnyAsync<Exception>(() => pool.RunAsync(static () => (object)File.OpenRead("/etc/passwd")).Within());
        Assert.Contains(nameof(FileStream), result.Message, StringComparison.Ordinal);
        await StillWorks(pool);
        Assert.Equal(2, pool.StartedWorkers);
    }

    [Fact]
    public async Task A_cyclic_list_of_a_million_nodes_travels()
    {
        await using var pool = await Start(new() { Workers = 1 });
        var first = new Node();
        var last = first;
        for (var i = 1; i < 1_000_000; i++)
            last = last.Next = new Node();
        last.Next = first;
        Assert.Equal(1_000_000, await pool.RunAsync(static node => Node.Count(node), first).Within(30));
    }

    [Fact]
    public async Task A_worker_may_print_what_it_likes()
    {
        var lines = new List<string>();
        await using var pool = await Start(new() { Workers = 1, OnOutput = line => { lock (lines) lines.Add(line); } });
        Assert.Equal(1, await pool.RunAsync(static () => { Console.Write("\0\u0001\u0002 garbage\n\n{\"result\":7}\n"); return 1; }).Within());
        await StillWorks(pool);
        await Limits.Until(() => { lock (lines) return lines.Count == 3; }, "three lines");
        Assert.Equal("{\"result\":7}", lines[2]);
    }

    [Fact]
    public async Task A_worker_serves_on_when_the_thread_that_started_the_pool_has_ended()
    {
        var start = new TaskCompletionSource<Task<WorkerPool>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = "";
        var thread = new Thread(() =>
        {
            task = "/proc/" + new FileInfo("/proc/thread-self").LinkTarget;
            var starting = Start();
            ((IAsyncResult)starting).AsyncWaitHandle.WaitOne(Limits.Seconds(30));
            start.SetResult(starting);
        })
        {
            IsBackground = true,
        };
        thread.Start();
        await using var pool = await start.Task.Within(40).Unwrap().Within(1);
        await Limits.Until(() => !Directory.Exists(task), "the kernel's end of the thread");
        await StillWorks(pool);
        Assert.Equal(2, pool.StartedWorkers);
    }

    [Fact]
    public async Task Workers_are_recycled_without_a_gap()
    {
        await using var pool = await Start(new() { Workers = 2, RecycleAfter = 50 });
        var least = int.MaxValue;
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; pool.StartedWorkers < 6; i++)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(20), "workers are not recycled");
            Assert.Equal(i, await pool.RunAsync(static number => number, i).Within());
            least = Math.Min(least, pool.WorkerCount);
        }

        Assert.Equal(2, least);
    }

    [Fact]
    public void Workers_that_began_together_are_not_recycled_together()
    {
        long[] shares = [.. Enumerable.Range(0, 100).Select(_ => Supervisor.ShareOf(1000))];
        Assert.All(shares, share => Assert.InRange(share, 900, 1100));
        Assert.InRange(shares.Distinct().Count(), 20, 100);
    }

    [Fact]
    public async Task A_worker_whose_successor_cannot_be_started_serves_on_and_is_recycled_when_one_can()
    {
        var variables = new Dictionary<string, string>();
        await using var pool = await Start(new() { Workers = 1, RecycleAfter = 5, Environment = variables });
        var first = pool.WorkerProcessIds;
        variables["NOT\0POSSIBLE"] = "";   // whatever it is that makes a start throw
        for (var tasks = 0; pool.LastFailure is null; tasks++)
        {
            Assert.True(tasks < 100_000, "nobody has tried to recycle the worker");
            await pool.RunAsync(static () => 1).Within();
        }

        Assert.Equal(1, await pool.RunAsync(static () => 1).Within());
        Assert.Equal(first, pool.WorkerProcessIds);
        variables.Clear();
        await Limits.Until(() => pool.RunAsync(static () => Environment.ProcessId).Within().GetAwaiter().GetResult() != first[0], "another worker");
    }

    [Fact]
    public async Task A_successor_that_cannot_be_started_is_tried_again_after_growing_pauses_not_after_each_task()
    {
        var starts = new Impossible();
        await using var pool = await Start(new() { Workers = 1, RecycleAfter = 1, Environment = starts });
        starts.Now = true;
        var (started, tasks) = (TimeProvider.System.GetTimestamp(), 0);
        while (starts.Tried == 0 || tasks++ < 1000)
            await pool.RunAsync(static () => 1).Within();
        Assert.InRange(starts.Tried, 1, 2 + (int)(TimeProvider.System.GetElapsedTime(started).TotalSeconds / 0.75));
    }

    [Fact]
    public async Task All_workers_can_be_killed_at_once_also_while_the_pool_waits_for_them()
    {
        await using var pool = await Start(new() { Workers = 2, Grace = Timeout.InfiniteTimeSpan });
        var first = pool.WorkerProcessIds;
        var running = await StartEndlessAsync(pool);
        pool.Kill();
        await Assert.ThrowsAsync<ProcessLostException>(() => running.Within());
        Assert.DoesNotContain(await pool.RunAsync(static () => Environment.ProcessId).Within(), first);

        var last = await StartEndlessAsync(pool);
        var disposing = pool.DisposeAsync().AsTask();
        await Task.Yield();
        pool.Kill();
        await disposing.Within();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => last.Within());
    }

    /// <summary>A task that has begun: one that was only sent is not lost with its worker, but sent again.</summary>
    static async Task<Task> StartEndlessAsync(WorkerPool pool)
    {
        var begun = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = pool.RunAsync(static report => { report.Report(1); return Functions.NativeSleep(600); }, (IProgress<int>)new Progress<int>(begun.SetResult));
        await begun.Task.Within();
        return task;
    }

    [Fact]
    public async Task A_worker_that_dies_while_its_successor_starts_is_replaced_once()
    {
        var hold = Path.GetTempFileName();
        File.Delete(hold);
        try
        {
            Action initializer = () => SpinWait.SpinUntil(() => !File.Exists(hold), TimeSpan.FromMinutes(2));
            await using var pool = await Start(new() { Workers = 1, RecycleAfter = 2, Initializer = initializer });
            await File.WriteAllTextAsync(hold, "", TestContext.Current.CancellationToken);
            var first = await pool.RunAsync(static () => Environment.ProcessId).Within();
            await pool.RunAsync(static () => 1).Within();
            await pool.RunAsync(static () => 1).Within();
            await Limits.Until(() => pool.WorkerProcessIds.Count == 2, "the successor to be started");
            KillNow(first);
            await Limits.Until(() => pool.WorkerProcessIds.Count == 2 && !pool.WorkerProcessIds.Contains(first), "the lost worker's place to be filled too");

            File.Delete(hold);

            await Limits.Until(() => pool.WorkerProcessIds.Count == 1, "one worker");
            Assert.Equal(1, pool.WorkerCount);
            Assert.NotEqual(first, await pool.RunAsync(static () => Environment.ProcessId).Within());
        }
        finally
        {
            File.Delete(hold);
        }
    }

    [Fact]
    public async Task A_spare_takes_the_place_of_a_lost_worker()
    {
        await using var pool = await Start(new() { Workers = 1, Spares = 1 });
        await Limits.Until(() => pool.WorkerProcessIds.Count == 2, "the spare");
        await Limits.Until(() => pool.StartedWorkers == 2, "the spare to be ready");
        var serving = await pool.RunAsync(static () => Environment.ProcessId).Within();
        KillNow(serving);
        Assert.NotEqual(serving, await pool.RunAsync(static () => Environment.ProcessId).Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task An_idempotent_task_is_tried_again_as_often_as_it_may_be()
    {
        await using var pool = await Start(new() { Workers = 1, Retries = 2 });
        var counter = Path.GetTempFileName();
        try
        {
            Assert.Equal(3, await pool.RunAsync(static path =>
            {
                File.AppendAllText(path, "x");
                var tries = (int)new FileInfo(path).Length;
                if (tries < 3)
                    Functions.EndSelf();
                return tries;
            }, counter).Within(20));
        }
        finally
        {
            File.Delete(counter);
        }
    }

    [Fact]
    public async Task A_crash_in_a_chunk_costs_the_input_that_ran_and_no_other()
    {
        await using var pool = await Start();
        var failed = new List<int>();
        var succeeded = new List<int>();
        await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 300), static n =>
        {
            if (n is 57 or 190)
                Functions.EndSelf();
            return n;
        }, new() { ChunkSize = 50 }))
        {
            if (outcome.Succeeded)
                succeeded.Add(outcome.Value);
            else
                failed.Add(outcome.Input);
        }

        Assert.Equal([57, 190], failed);
        Assert.Equal(Enumerable.Range(0, 300).Where(n => n is not (57 or 190)), succeeded);
    }

    [Fact]
    public async Task A_pool_inside_of_a_worker_works()
    {
        await using var pool = await Start();
        var sums = await Task.WhenAll(Enumerable.Range(1, 3).Select(n => pool.RunAsync(Functions.SumInPool, n))).Within(60);
        Assert.Equal([55, 110, 165], sums);
    }

    [Fact]
    public async Task An_initializer_runs_in_each_worker_before_its_first_task()
    {
        await using var pool = await Start(new() { Workers = 2, Initializer = static () => Functions.Prepared = 42 });
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => pool.RunAsync(static () => Functions.Prepared))).Within(), prepared => Assert.Equal(42, prepared));
        var failure = await Assert.ThrowsAsync<PlaceException>(() => Start(new() { Workers = 1, Initializer = static () => throw new FormatException("bad start") }));
        Assert.Contains("bad start", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_task_does_not_hold_back_those_that_were_sent_behind_it()
    {
        await using var pool = await Start();
        await StillWorks(pool);   // the pool learns that tasks are short, and sends ahead
        var slow = pool.RunAsync(static () => Conformance.Functions.Spin(2));
        var quick = Enumerable.Range(0, 200).Select(n => pool.RunAsync(static number => number, n)).ToArray();
        Assert.Equal(Enumerable.Range(0, 200), await Task.WhenAll(quick).Within());
        Assert.False(slow.IsCompleted);
        await slow.Within(20);
    }

    [Fact]
    public async Task Random_kills_cost_only_their_victims_and_nothing_hangs()
    {
        var (tasks, kills) = Limits.Long ? (1_000_000, 10_000) : (20_000, 200);
        await using var pool = await Start(new() { Workers = 2, Spares = 1 });
        var done = 0;
        var killed = 0;
        using var over = new CancellationTokenSource();
        var killer = Task.Run(async () =>
        {
            var random = new Random(12345);
            while (killed < kills && !over.IsCancellationRequested)
            {
                var target = (long)tasks * killed / kills;
                await Limits.Until(() => Volatile.Read(ref done) >= target || over.IsCancellationRequested, "progress between kills", 60);
                if (pool.WorkerProcessIds is { Count: > 0 } workers && Functions.Kill(workers[random.Next(workers.Count)], 9) == 0)
                    killed++;
            }
        });
        var failed = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, tasks), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, cancellation) =>
        {
            try
            {
                Assert.Equal(number ^ 0x55, await pool.RunAsync(static n => n ^ 0x55, number, cancellation).Within(60));
            }
            catch (ProcessLostException)
            {
                Interlocked.Increment(ref failed);
            }

            Interlocked.Increment(ref done);
        });
        await over.CancelAsync();
        await killer.Within(60);
        Assert.InRange(failed, 0, killed);
        Assert.InRange(killed, kills / 2, kills);
        await StillWorks(pool);
    }

    sealed class Node
    {
        public Node? Next;

        public static int Count(Node first)
        {
            var count = 0;
            for (var node = first; count == 0 || node != first; node = node!.Next)
                count++;
            return count;
        }
    }

    sealed class OddException(int one, string two) : Exception($"one {one} and {two}");

    sealed class HostileException : Exception
    {
        public override string Message => throw new InvalidOperationException("no message for you");
    }
}

/// <summary>An environment with which no process can be started, from a moment on; it counts how often that was tried.</summary>
sealed class Impossible : Dictionary<string, string>, IReadOnlyDictionary<string, string>
{
    public bool Now { get; set; }

    public int Tried { get; private set; }

    IEnumerator<KeyValuePair<string, string>> IEnumerable<KeyValuePair<string, string>>.GetEnumerator()
    {
        if (!Now)
            return GetEnumerator();
        Tried++;
        return Enumerable.Repeat(KeyValuePair.Create("NOT\0POSSIBLE", ""), 1).GetEnumerator();
    }
}
