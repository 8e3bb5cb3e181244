using System.Globalization;
using System.Runtime.Versioning;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skein.Tests.Cli;

namespace Skein.Tests.Pools;

// Moments in which two things happen to a task, or something to one that is on its way.
[SupportedOSPlatform("linux")]
public sealed class PoolCornerTests
{
    static Task<WorkerPool> Start(PoolOptions options) => WorkerPool.StartAsync(Place.OsProcess, options with { OnError = static _ => { } }).Within(20);

    [Fact]
    public async Task A_task_that_has_brought_the_end_of_a_channel_stays_with_its_worker()
    {
        await using var pool = await Start(new() { Workers = 2 });
        await using var channel = ProcessChannel.Create<int>(ChannelKind.Pipe);
        ChannelWriter<int>[] writers = [channel.Writer, channel.AddWriter()];
        await Task.WhenAll(Enumerable.Range(0, 200).Select(n => pool.RunAsync(static number => number, n))).Within();   // short tasks: the next are sent ahead
        var longer = pool.RunAsync(static () => Conformance.Functions.Spin(1));
        var shorter = pool.RunAsync(static () => Conformance.Functions.Spin(0.2));
        var tasks = writers.Select(writer => pool.RunAsync(static async end =>
        {
            await end.WriteAsync(5);
            end.Complete();
        }, writer)).ToArray();
        await Task.WhenAll([longer, shorter, .. tasks]).Within(20);
        Assert.Equal(5, await channel.Reader.ReadAsync(TestContext.Current.CancellationToken).Within());
        Assert.Equal(5, await channel.Reader.ReadAsync(TestContext.Current.CancellationToken).Within());
        await channel.Reader.Completion.Within();
    }

    [Fact]
    public async Task A_task_whose_worker_was_lost_with_the_end_of_a_channel_fails_with_that_loss()
    {
        await using var pool = await Start(new() { Workers = 1, Retries = 3 });
        await using var channel = ProcessChannel.Create<int>(ChannelKind.Pipe);
        var task = pool.RunAsync(static end =>
        {
            Functions.EndSelf();
            end.Complete();
        }, channel.Writer);
        await Assert.ThrowsAsync<ProcessLostException>(() => task.Within(20));
    }

    [Fact]
    public async Task What_a_task_has_left_behind_asks_for_no_stop_of_the_next_one()
    {
        await using var pool = await Start(new() { Workers = 1 });
        await pool.RunAsync(static () => new Thread(AskForEver) { IsBackground = true }.Start()).Within();
        for (var i = 0; i < 200; i++)
            Assert.False(await pool.RunAsync(static () => Here.Stopping.IsCancellationRequested).Within());
    }

    [Fact]
    public async Task A_logger_that_throws_costs_no_task_and_no_worker()
    {
        await using var pool = await Start(new() { Workers = 1, Logger = new BrokenLogger() });
        await Assert.ThrowsAsync<ProcessLostException>(() => pool.RunAsync(static () => { Functions.EndSelf(); return 1; }).Within(20));
        Assert.Equal(5, await pool.RunAsync(static () => 5).Within(20));
    }

    [Fact]
    public async Task A_worker_that_stands_still_before_the_answer_that_it_is_sent_is_ended_by_its_time_out()
    {
        var pool = await Start(new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(300), Grace = Limits.Seconds(0.25) });
        var ask = Callback.To((int worker) =>
        {
            _ = Functions.Kill(worker, 19);
            return new byte[4 << 20];   // more than the socket takes
        });
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static async ask => (await ask.InvokeAsync(Environment.ProcessId)).Length, ask).Within(20));
        Assert.Equal(5, await pool.RunAsync(static () => 5).Within(20));
        await pool.DisposeAsync().AsTask().Within(20);
    }

    [Fact]
    public async Task What_has_escaped_and_holds_a_workers_output_open_does_not_hold_up_its_end()
    {
        // Without environment, group and parent nobody knows any more whose it is.
        const string Escape = "setsid env -i sleep 600 & echo $! >\"$0\"; until grep -q sleep /proc/$!/comm; do sleep 0.01; done";
        using var folder = new ScratchFolder();
        await using var process = await Place.OsProcess.StartAsync(static file =>
        {
            using var shell = System.Diagnostics.Process.Start("sh", ["-c", Escape, file]);
            shell.WaitForExit();
            return int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
        }, folder["escaped"]).Within();
        var escaped = await process.Completion.Within();
        try
        {
            await process.Exited.Within();
            Assert.True(Functions.IsAlive(escaped));
        }
        finally
        {
            Assert.Equal(0, Functions.Kill(escaped, 9));
        }
    }

    [Fact]
    public async Task Time_outs_of_tasks_are_by_the_clock_of_the_pool()
    {
        var (clock, began) = (new ManualTime(), new TaskCompletionSource());
        await using var pool = await Start(new() { Workers = 1, TaskTimeout = TimeSpan.FromHours(1), TimeProvider = clock });
        var task = pool.RunAsync(
            static async begun =>
            {
                await begun.InvokeAsync(0);
                await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping);
                return 0;
            },
            Callback.To((int _) =>
            {
                began.SetResult();
                return 0;
            }));
        await began.Task.Within();
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(task.IsCompleted);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Contains("longer than its time-out", (await Assert.ThrowsAsync<TimeoutException>(() => task.Within())).Message, StringComparison.Ordinal);
        await pool.DrainAsync(TestContext.Current.CancellationToken).Within();
    }

    [Fact]
    public async Task A_pool_of_threads_refuses_a_soft_memory_limit() =>
        Assert.Contains("SoftMemoryLimit", (await Assert.ThrowsAsync<NotSupportedException>(() => WorkerPool.StartAsync(Place.Thread, new() { SoftMemoryLimit = 1 << 30 }))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_task_that_comes_back_when_its_pool_is_closed_is_refused()
    {
        using var metrics = new PoolMetrics("p", static () => 0, static () => 0, static () => 0);
        var dispatcher = new Dispatcher(new(), metrics);
        var refused = new List<WorkItem>();
        var (waiting, late) = (Item(), Item());
        Assert.True(dispatcher.TryAdd(waiting, isAwaited: false, out _));
        dispatcher.Close(refused.Add);
        dispatcher.Requeue([late]);
        Assert.Equal([waiting, late], refused);
    }

    [Fact]
    public async Task A_task_that_was_given_up_leaves_its_room_in_the_queue()
    {
        await using var pool = await Start(new() { Workers = 1, QueueLimit = 2, WhenFull = QueueFullMode.Refuse });
        using var source = new CancellationTokenSource();
        var running = pool.RunAsync(static async () => await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping));
        await Limits.Until(() => pool.WaitingCount == 0, "the first task to run");
        Task[] given = [pool.RunAsync(static () => 1, source.Token), pool.RunAsync(static () => 1, source.Token)];
        await Assert.ThrowsAsync<PoolFullException>(() => pool.RunAsync(static () => 1).Within());
        await source.CancelAsync();
        foreach (var task in given)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.Within());
        Assert.Equal(0, pool.WaitingCount);
        var next = pool.RunAsync(static () => 2);
        Assert.False(next.IsCompleted);
        Assert.False(running.IsCompleted);
    }

    [Fact]
    public void A_task_that_ends_while_it_begins_to_follow_a_token_does_not_hold_on_to_it()
    {
        using var source = new CancellationTokenSource();
        var (item, told) = (Item(), false);
        item.OnEnd = _ => item.Follow((_, _) => told = true, source.Token);
        item.Cancel(new(canceled: true));
        source.Cancel();
        Assert.False(told);
    }

    static void AskForEver()
    {
        while (true)
            _ = Here.Stopping;
    }

    static WorkItem<Nothing> Item() => new(new ActionJob(static () => { }));

    sealed class BrokenLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("the log is broken");
    }
}
