namespace Skein.Tests.Servers;

/// <summary>What counts as a server all of whose threads are stuck, and what does not.</summary>
public class StallProbeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Threads_are_stuck_when_requests_want_one_and_none_moves(int queue)
    {
        using var threads = new HandlerThreads(ServerModel.Dispatcher(1, queue));
        var time = new ManualTime();
        var probe = new StallProbe(threads, time);
        using var release = new SemaphoreSlim(0);
        var blocking = new Work(async () => release.Wait());
        Assert.True(threads.TryStart(blocking));
        await blocking.Begun.Within();
        Assert.Equal(TimeSpan.Zero, After(100));   // long, but nobody else wants the thread

        Assert.Equal(queue == 1, threads.TryStart(new Work(() => Task.CompletedTask)));

        Assert.Equal(TimeSpan.Zero, After(5));
        Assert.Equal(TimeSpan.FromSeconds(queue == 1 ? 5 : 0), After(5));   // nobody knows whether one who was refused would still wait
        Assert.False(threads.TryStart(new Work(() => Task.CompletedTask)));
        Assert.Equal(TimeSpan.FromSeconds(10), After(5));
        release.Release();
        await Limits.Until(() => threads.BusyCount == 0, "an idle thread");
        Assert.Equal(TimeSpan.Zero, After(5));

        TimeSpan After(int seconds)
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            return probe.Look();
        }
    }

    [Fact]
    public async Task A_handler_that_awaits_now_and_then_is_not_stuck_and_one_that_awaits_for_ever_is()
    {
        using var threads = new HandlerThreads(ServerModel.Dispatcher(1, 1));
        var time = new ManualTime();
        var probe = new StallProbe(threads, time);
        using var turn = new SemaphoreSlim(0);
        var turns = 0;
        var ended = false;
        var running = new Work(async () =>
        {
            while (!ended)
            {
                await turn.WaitAsync();
                Interlocked.Increment(ref turns);
            }
        });
        Assert.True(threads.TryStart(running));
        await running.Begun.Within();
        Assert.True(threads.TryStart(new Work(() => Task.CompletedTask)));

        for (var i = 1; i <= 3; i++)
        {
            turn.Release();
            await Limits.Until(() => Volatile.Read(ref turns) == i, "a turn");
            await Limits.Until(() => probe.Look() == TimeSpan.Zero, "no stall");
            time.Advance(TimeSpan.FromSeconds(20));
        }

        await Limits.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(20));
                return probe.Look() > TimeSpan.Zero;
            },
            "a stall");
        ended = true;
        turn.Release();
        await Limits.Until(() => threads.BusyCount == 0, "an idle thread");
    }

    sealed class Work(Func<Task> run) : HandlerTask
    {
        readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public override Task RunAsync()
        {
            _begun.SetResult();
            return run();
        }
    }
}
