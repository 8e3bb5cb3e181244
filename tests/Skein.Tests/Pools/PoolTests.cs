using System.Runtime.CompilerServices;

namespace Skein.Tests.Pools;

// What a pool does on a good day, in every place.
public abstract class PoolCases(Place place)
{
    Task<WorkerPool> Start(PoolOptions? options = null) => WorkerPool.StartAsync(place, options ?? new() { Workers = 2 }).Within(20);

    [Fact]
    public async Task Tasks_have_their_results()
    {
        await using var pool = await Start();
        var tasks = Enumerable.Range(0, 1000).Select(n => pool.RunAsync(static number => number * 3, n)).ToArray();
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => n * 3), await Task.WhenAll(tasks).Within());
    }

    [Fact]
    public async Task Every_shape_of_function_can_be_a_task()
    {
        await using var pool = await Start();
        Assert.Equal(7, await pool.RunAsync(() => 7).Within());
        Assert.Equal(7, await pool.RunAsync((a, b) => a + b, 3, 4).Within());
        Assert.Equal(7, await pool.RunAsync(async a => { await Task.Yield(); return a; }, 7).Within());
        Assert.Equal(14, await pool.RunAsync(Conformance.Functions.TwiceLater, 7).Within());
        Assert.Equal(49, await pool.RunAsync(Conformance.Functions.SquareLater, 7).Within());
        await pool.RunAsync(() => { }).Within();
        await pool.RunAsync(async () => await Task.Yield()).Within();
    }

    [Fact]
    public async Task A_mapping_in_order_gives_every_outcome_in_the_order_of_the_inputs()
    {
        await using var pool = await Start();
        var sums = new List<long>();
        await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 100_000), static n => (long)n * n))
        {
            Assert.Equal(sums.Count, outcome.Index);
            sums.Add(outcome.Value);
        }

        Assert.Equal(Enumerable.Range(0, 100_000).Select(n => (long)n * n), sums);
    }

    [Fact]
    public async Task A_mapping_as_they_come_gives_every_outcome_once()
    {
        await using var pool = await Start();
        var seen = new HashSet<int>();
        await foreach (var outcome in pool.MapUnorderedAsync(Enumerable.Range(0, 20_000), static n => n + 1))
        {
            Assert.Equal(outcome.Input + 1, outcome.Value);
            Assert.True(seen.Add(outcome.Input));
        }

        Assert.Equal(20_000, seen.Count);
    }

    [Fact]
    public async Task An_outcome_is_there_before_slower_ones_that_came_before_it()
    {
        await using var pool = await Start();
        var open = new TaskCompletionSource<int>();
        var wait = Callback.To((int _) => open.Task);
        await using var outcomes = pool.MapUnorderedAsync([true, false], async isSlow => isSlow ? await wait.InvokeAsync(0) : 0).GetAsyncEnumerator();
        Assert.True(await outcomes.MoveNextAsync().Within());
        Assert.False(outcomes.Current.Input);
        open.SetResult(0);
        Assert.True(await outcomes.MoveNextAsync().Within());
        Assert.True(outcomes.Current.Input);
        Assert.False(await outcomes.MoveNextAsync().Within());
    }

    [Fact]
    public async Task An_error_costs_its_own_input_and_no_other()
    {
        await using var pool = await Start();
        var failed = new List<int>();
        var succeeded = 0;
        await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 1000), static n => n % 100 == 7 ? throw new FormatException($"no {n}") : n))
        {
            if (outcome.Error is FormatException error)
            {
                Assert.Equal($"no {outcome.Input}", error.Message);
                failed.Add(outcome.Input);
            }
            else
            {
                Assert.Equal(outcome.Input, outcome.Value);
                succeeded++;
            }
        }

        Assert.Equal([7, 107, 207, 307, 407, 507, 607, 707, 807, 907], failed);
        Assert.Equal(990, succeeded);
    }

    [Fact]
    public async Task Cheap_inputs_are_sent_many_at_a_time_and_costly_ones_alone()
    {
        await using var pool = await Start();
        var cheap = await MostTakenAhead(pool, 50_000, static n => n);
        Assert.InRange(cheap, 1000, int.MaxValue);
        Assert.InRange(await MostTakenAhead(pool, 500, static n => { Conformance.Functions.Spin(0.0002); return n; }), 1, 4 * pool.Options.Workers);
    }

    static async Task<int> MostTakenAhead(WorkerPool pool, int count, Func<int, int> function)
    {
        var (taken, done, most) = (0, 0, 0);
        IEnumerable<int> Inputs()
        {
            while (taken < count)
                yield return taken++;
        }

        await foreach (var outcome in pool.MapAsync(Inputs(), function))
        {
            most = Math.Max(most, taken - done);
            Assert.Equal(done++, outcome.Value);
        }

        return most;
    }

    [Fact]
    public async Task Endless_input_is_taken_only_as_fast_as_outcomes_are()
    {
        await using var pool = await Start();
        var taken = 0;
        IEnumerable<int> Endless()
        {
            while (true)
                yield return taken++;
        }

        var seen = 0;
        await foreach (var outcome in pool.MapAsync(Endless(), static n => n, new() { ChunkSize = 10 }))
        {
            Assert.Equal(seen, outcome.Value);
            if (++seen == 1000)
                break;
        }

        Assert.InRange(taken, 1000, 1000 + 10 * 2 * 4);
    }

    [Fact]
    public async Task A_slow_stream_of_inputs_does_not_hold_back_the_outcomes_of_those_that_came()
    {
        await using var pool = await Start();
        var release = new TaskCompletionSource();
        async IAsyncEnumerable<int> Slow([EnumeratorCancellation] CancellationToken cancellation = default)
        {
            yield return 1;
            yield return 2;
            await release.Task.WaitAsync(cancellation);
            yield return 3;
        }

        foreach (var ordered in new[] { true, false })
        {
            release = new();
            var seen = new List<int>();
            await foreach (var outcome in ordered ? pool.MapAsync(Slow(), static n => n * 10) : pool.MapUnorderedAsync(Slow(), static n => n * 10))
            {
                seen.Add(outcome.Value);
                if (seen.Count == 2)
                    release.SetResult();
            }

            Assert.Equal([10, 20, 30], seen.Order());
        }
    }

    [Fact]
    public async Task ForEach_runs_all_and_then_says_which_failed()
    {
        await using var pool = await Start();
        await pool.ForEachAsync(Enumerable.Range(0, 100), static _ => { }).Within();
        var error = await Assert.ThrowsAsync<AggregateException>(() => pool.ForEachAsync(Enumerable.Range(0, 10), static n =>
        {
            if (n is 3 or 5)
                throw new FormatException($"{n}");
        }).Within());
        Assert.Equal(["3", "5"], error.InnerExceptions.Select(inner => inner.Message).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_full_queue_refuses_if_it_shall()
    {
        await using var pool = await Start(new() { Workers = 1, QueueLimit = 2, WhenFull = QueueFullMode.Refuse });
        var gate = new CancellationTokenSource();
        var token = gate.Token;
        Func<CancellationToken, Task<int>> wait = static async stop => { await Task.Delay(Timeout.Infinite, stop).ContinueWith(static _ => { }, TaskScheduler.Default); return 1; };
        var tasks = Enumerable.Range(0, 10).Select(_ => pool.RunAsync(wait, token)).ToArray();
        await Limits.Until(() => tasks.Any(task => task.IsFaulted), "a refusal");
        await gate.CancelAsync();
        var refused = 0;
        foreach (var task in tasks)
        {
            try
            {
                await task.Within();
            }
            catch (PoolFullException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 5, 7);   // one runs, one or two were sent ahead, two wait
    }

    [Fact]
    public async Task Callers_wait_for_room_in_a_full_queue()
    {
        await using var pool = await Start(new() { Workers = 1, QueueLimit = 2 });
        var tasks = Enumerable.Range(0, 200).Select(n => pool.RunAsync(static number => number, n)).ToArray();
        Assert.Equal(Enumerable.Range(0, 200), await Task.WhenAll(tasks).Within());
    }

    [Fact]
    public async Task Callers_that_find_the_queue_full_are_cancelled_at_once_and_end_with_the_pool()
    {
        var pool = await Start(new() { Workers = 1, QueueLimit = 1 });
        var running = pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping));
        using var source = new CancellationTokenSource();
        var cancelled = pool.RunAsync(static () => 1, source.Token);
        var waiting = Enumerable.Range(0, 20).Select(i => pool.RunAsync(static () => 1, i == 19 ? source.Token : default)).ToArray();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Within());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting[19].Within());
        await pool.DisposeAsync().AsTask().Within();
        foreach (var task in waiting[..19])
            await Assert.ThrowsAsync<ObjectDisposedException>(() => task.Within());
        await Assert.ThrowsAnyAsync<Exception>(() => running.Within());
    }

    [Fact]
    public async Task A_cancelled_task_that_waits_never_runs()
    {
        await using var pool = await Start(new() { Workers = 1 });
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var running = pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping), first.Token);
        var ran = new List<int>();
        var waiting = pool.RunAsync(static () => Environment.ProcessId, second.Token);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within());
    }

    [Fact]
    public async Task The_pool_grows_and_shrinks_while_tasks_run()
    {
        await using var pool = await Start(new() { Workers = 1 });
        pool.Resize(3);
        await Limits.Until(() => pool.WorkerCount == 3, "three workers");
        var tasks = Enumerable.Range(0, 300).Select(n => pool.RunAsync(static number => number, n)).ToArray();
        pool.Resize(1);
        Assert.Equal(Enumerable.Range(0, 300), await Task.WhenAll(tasks).Within());
        await Limits.Until(() => pool.WorkerCount == 1, "one worker");
    }

    [Fact]
    public async Task Disposing_stops_a_task_that_was_only_just_sent()
    {
        for (var round = 0; round < 10; round++)
        {
            var pool = await Start(new() { Workers = 1, Grace = Timeout.InfiniteTimeSpan });
            var sent = pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping));
            await pool.DisposeAsync().AsTask().Within();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => sent.Within());
        }
    }

    [Fact]
    public async Task Disposing_fails_what_waits_and_stops_what_runs()
    {
        var pool = await Start(new() { Workers = 1 });
        var running = pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping));
        var waiting = Enumerable.Range(0, 5).Select(_ => pool.RunAsync(static () => 1)).ToArray();
        await Limits.Until(() => pool.BusyCount == 1, "the first to run");
        await pool.DisposeAsync().AsTask().Within();
        await Assert.ThrowsAnyAsync<Exception>(() => running.Within());
        foreach (var task in waiting)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => task.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.RunAsync(static () => 1));
    }

    [Fact]
    public async Task Draining_waits_for_what_was_accepted()
    {
        await using var pool = await Start();
        var tasks = Enumerable.Range(0, 100).Select(n => pool.RunAsync(static number => number, n)).ToArray();
        await pool.DrainAsync().Within();
        Assert.All(tasks, task => Assert.True(task.IsCompletedSuccessfully));
    }
}

public class A_pool_of_threads() : PoolCases(Place.Thread);

public class A_pool_of_processes() : PoolCases(Place.OsProcess);
