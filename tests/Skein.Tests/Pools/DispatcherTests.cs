namespace Skein.Tests.Pools;

// Who gets a task in moments that real workers are in for microseconds; so these are none.
public sealed class DispatcherTests : IDisposable
{
    readonly PoolMetrics _metrics = new("p", static () => 0, static () => 0, static () => 0);
    readonly Dispatcher _dispatcher;

    public DispatcherTests() => _dispatcher = new(new(), _metrics);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Who_is_being_sent_a_long_task_is_not_given_the_next_one_while_another_idles()
    {
        using var slow = new Taker();
        using var idle = new Taker();
        _dispatcher.Add(slow);
        _dispatcher.Add(idle);
        var first = Sending(slow);
        idle.Goes.Set();
        var next = Item();
        Assert.True(_dispatcher.TryAdd(next, isAwaited: false, out _));
        Assert.Equal([next], idle.Taken);
        slow.Goes.Set();
        await first.Within();
    }

    [Fact]
    public async Task What_comes_while_a_task_is_being_sent_is_given_to_its_worker_afterwards()
    {
        using var worker = new Taker();
        _dispatcher.Add(worker);
        var first = Sending(worker);
        var next = Item();
        Assert.True(_dispatcher.TryAdd(next, isAwaited: false, out _));
        Assert.Equal(1, _dispatcher.Waiting);
        worker.IsQuick = true;   // what is sent has been done when it was sent, and nobody asks for more
        worker.Goes.Set();
        await first.Within();
        Assert.Equal(0, _dispatcher.Waiting);
        Assert.Equal(next, worker.Taken[^1]);
    }

    Task<bool> Sending(Taker worker)
    {
        var sending = Task.Run(() => _dispatcher.TryAdd(Item(), isAwaited: false, out _));
        Assert.True(worker.Begun.Wait(Limits.Seconds(10)));
        return sending;
    }

    static WorkItem<Nothing> Item() => new(new ActionJob(static () => { }));

    sealed class Taker : Worker, IDisposable
    {
        public ManualResetEventSlim Begun { get; } = new();

        public ManualResetEventSlim Goes { get; } = new();

        public List<WorkItem> Taken { get; } = [];

        public bool IsQuick { get; set; }

        public override string Id => "taker";

        public override int ProcessId => 0;

        public override Task Ready => Task.CompletedTask;

        public override Task<Exit> Exited { get; } = new TaskCompletionSource<Exit>().Task;

        public override bool HasEnded => false;

        public override int Held => IsQuick ? 0 : Taken.Count;

        public override (WorkItem Item, long StartedAt, int ChunkItem)? Running => null;

        public override bool Submit(WorkItem item)
        {
            Begun.Set();
            Assert.True(Goes.Wait(Limits.Seconds(10)));
            Taken.Add(item);
            return true;
        }

        public override bool TryRevoke(WorkItem item) => false;

        public override List<WorkItem> Calls() => Taken;

        public override List<WorkItem> Unstarted() => [];

        public override void AskToStop(WorkItem item, int chunkItem = -1)
        {
        }

        public override void End()
        {
        }

        public override void Kill(ExitCause cause)
        {
        }

        public void Dispose()
        {
            Begun.Dispose();
            Goes.Dispose();
        }
    }
}
