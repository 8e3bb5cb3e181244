using System.Diagnostics;

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

    [Fact]
    public void What_waits_behind_a_long_task_is_given_to_others_also_while_more_waits()
    {
        using var slow = new Taker { Since = Stopwatch.GetTimestamp() - Stopwatch.Frequency };
        using var other = new Taker();
        slow.Goes.Set();
        other.Goes.Set();
        _dispatcher.Add(slow);
        WorkItem[] items = [Item(), Item(), Item()];
        Assert.True(_dispatcher.TryAdd(items[0], isAwaited: false, out _));
        slow.Give(items[1]);   // sent ahead, when tasks were short
        Assert.True(_dispatcher.TryAdd(items[2], isAwaited: false, out _));
        _dispatcher.Add(other);
        other.Taken.Clear();   // it is done with that
        _dispatcher.Balance();
        Assert.Equal([items[0]], slow.Taken);
        Assert.Equal([items[1]], other.Taken);
    }

    [Fact]
    public void What_a_worker_that_goes_has_not_started_is_given_to_others()
    {
        using var going = new Taker();
        using var other = new Taker();
        going.Goes.Set();
        other.Goes.Set();
        _dispatcher.Add(going);
        WorkItem[] items = [Item(), Item()];
        Assert.True(_dispatcher.TryAdd(items[0], isAwaited: false, out _));
        going.Give(items[1]);
        _dispatcher.Add(other);
        Assert.True(_dispatcher.Remove(going));
        _dispatcher.TakeBack(going);
        Assert.Equal([items[0]], going.Taken);
        Assert.Equal([items[1]], other.Taken);
    }

    [Fact]
    public void A_task_that_comes_back_is_offered_only_to_those_that_idle()
    {
        using var busy = new Taker();
        busy.Goes.Set();
        _dispatcher.Add(busy);
        Assert.True(_dispatcher.TryAdd(Item(), isAwaited: false, out _));
        busy.Complete();
        _dispatcher.OnRoom(busy);   // now it is known that tasks are short: more than one may be sent
        WorkItem[] items = [Item(), Item()];
        Assert.True(_dispatcher.TryAdd(items[0], isAwaited: false, out _));
        Assert.True(items[1].TryTake());
        _dispatcher.Requeue([items[1]]);
        Assert.Equal([items[0]], busy.Taken);
        Assert.Equal(1, _dispatcher.Waiting);
        busy.Complete();
        _dispatcher.OnRoom(busy);
        Assert.Equal([items[1]], busy.Taken);
    }

    [Fact]
    public void A_task_that_is_cancelled_on_its_way_back_from_a_worker_is_not_run_again()
    {
        using var source = new CancellationTokenSource();
        using var worker = new Taker();
        worker.Goes.Set();
        var item = Item();
        Assert.True(item.TryTake());
        item.Worker = worker;   // which is lost now
        Assert.False(item.TryCancel(source.Token));
        _dispatcher.Requeue([item]);
        Assert.True(item.Completion.IsCanceled);
        _dispatcher.Add(worker);
        Assert.Empty(worker.Taken);
    }

    [Fact]
    public async Task A_task_that_is_cancelled_while_it_is_sent_is_taken_back_or_asked_to_stop()
    {
        using var source = new CancellationTokenSource();
        foreach (var isBack in new[] { true, false })
        {
            var asked = new List<WorkItem>();
            var dispatcher = new Dispatcher(new(), _metrics) { AskToStop = asked.Add };
            using var worker = new Taker { GivesBack = isBack };
            dispatcher.Add(worker);
            var item = Item();
            var sending = Task.Run(() => dispatcher.TryAdd(item, isAwaited: false, out _));
            Assert.True(worker.Begun.Wait(Limits.Seconds(10)));
            Assert.False(item.TryCancel(source.Token));
            worker.Goes.Set();
            await sending.Within();
            Assert.Equal(isBack, item.Completion.IsCanceled);
            Assert.Equal(isBack ? [] : [item], asked);
        }
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

        /// <summary>When it has started the first one that it took.</summary>
        public long? Since { get; init; }

        public bool GivesBack { get; init; } = true;

        public override (WorkItem Item, long StartedAt, int ChunkItem)? Running => Since is { } since && Taken is [var first, ..] ? (first, since, -1) : null;

        public void Complete()
        {
            Count(Taken[0]);
            Taken.RemoveAt(0);
        }

        public void Give(WorkItem item)
        {
            Assert.True(item.TryTake());
            Taken.Add(item);
        }

        public override bool Submit(WorkItem item)
        {
            Begun.Set();
            Assert.True(Goes.Wait(Limits.Seconds(10)));
            Taken.Add(item);
            return true;
        }

        public override bool TryRevoke(WorkItem item) => GivesBack && Taken.Remove(item);

        public override List<WorkItem> Calls() => Taken;

        public override List<WorkItem> Unstarted() => [.. Taken.Skip(1)];

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
