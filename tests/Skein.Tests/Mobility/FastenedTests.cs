namespace Skein.Tests.Mobility;

/// <summary>What stays at its node is called from wherever its process goes.</summary>
public class FastenedTests
{
    readonly MobileNode _a = new("a"), _b = new("b"), _c = new("c");

    public FastenedTests()
    {
        _a.Connect(_b);
        _a.Connect(_c);
        _b.Connect(_c);
    }

    public interface ILedger
    {
        int Total { get; }

        int Add(int amount);

        Task<int> AddAsync(int amount);

        Task ClearAsync();

        ValueTask<T> Echo<T>(T value);

        void Refuse(string why);
    }

    sealed class Ledger : ILedger
    {
        readonly Lock _lock = new();   // does not travel

        public int Total { get; private set; }

        public TaskCompletionSource? Begun { get; init; }

        public TaskCompletionSource? Ends { get; init; }

        public int Add(int amount)
        {
            lock (_lock)
                return Total += amount;
        }

        public async Task<int> AddAsync(int amount)
        {
            await Task.Yield();
            Begun?.TrySetResult();
            if (Ends is not null)
                await Ends.Task;
            return Add(amount);
        }

        public Task ClearAsync()
        {
            Total = 0;
            return Task.CompletedTask;
        }

        public ValueTask<T> Echo<T>(T value) => new(value);

        public void Refuse(string why) => throw new ArgumentException(why);
    }

    sealed class Surveyor(ILedger ledger)
    {
        [Fastened] readonly ILedger _ledger = ledger;

        public ILedger Ledger => _ledger;
    }

    [Fact]
    public async Task A_field_of_an_interface_is_called_across_and_is_the_object_itself_back_home()
    {
        var ledger = new Ledger();
        _a.Provide("ledger", ledger);
        var log = await _a.Start(static async () =>
        {
            var surveyor = new Surveyor(Here.Resource<ILedger>("ledger"));
            surveyor.Ledger.Add(1);
            await Here.MoveTo("b");
            var log = $"{surveyor.Ledger.Add(10)} {surveyor.Ledger.Total} {await surveyor.Ledger.AddAsync(100)} {await surveyor.Ledger.Echo("text")}";
            await Here.MoveTo("c");
            log += $" {surveyor.Ledger.Add(1000)}";
            await surveyor.Ledger.ClearAsync();
            var failure = Assert.Throws<ArgumentException>(() => surveyor.Ledger.Refuse("because"));
            await Here.MoveTo("a");
            Assert.Same(Here.Resource<ILedger>("ledger"), surveyor.Ledger);
            return $"{log} {failure.Message} {surveyor.Ledger.Total}";
        }).Completion.Within();
        Assert.Equal("11 11 111 text 1111 because 0", log);
    }

    [Fact]
    public async Task A_wrapped_object_of_any_class_gets_the_functions()
    {
        var ledger = new Ledger();
        _a.Provide("ledger", ledger);
        Assert.Equal("True 1 False 11 111 111 True", await _a.Start(static async () =>
        {
            var ledger = Fastened.Of(Here.Resource<Ledger>("ledger"));
            var amount = 10;
            var log = $"{ledger.IsHere} {await ledger.Call(static l => l.Add(1))}";
            await Here.MoveTo("b");
            log += $" {ledger.IsHere} {await ledger.Call(l => l.Add(amount))} {await ledger.Call(l => l.AddAsync(10 * amount))}";
            await ledger.Call(static l => { l.Add(0); });
            await Assert.ThrowsAsync<ArgumentException>(async () => await ledger.Call(static l => l.Refuse("because"))).WaitAsync(CancellationToken.None);
            log += $" {await ledger.Call(static l => l.Total)}";
            await Here.MoveTo("a");
            return $"{log} {ledger.IsHere}";
        }).Completion.Within());
        Assert.Equal(111, ledger.Total);
    }

    [Fact]
    public async Task A_call_breaks_clearly_when_its_node_is_not_connected()
    {
        var (said, d) = (new TaskCompletionSource<string>(), new MobileNode("d"));
        _b.Connect(d);
        d.Provide("said", said);
        _a.Start(static async () =>
        {
            var surveyor = new Surveyor(new Ledger());
            var wrapped = Fastened.Of(new Ledger());
            await Here.MoveTo("b");
            await Here.MoveTo("d");
            var first = Assert.Throws<BindingBrokenException>(() => surveyor.Ledger.Total);
            var second = await Assert.ThrowsAsync<BindingBrokenException>(() => surveyor.Ledger.AddAsync(1));
            try
            {
                await wrapped.Call(static l => l.Total);
            }
            catch (BindingBrokenException e)
            {
                Here.Resource<TaskCompletionSource<string>>("said").SetResult($"{first.Owner}: {first.Message} {second.Message == first.Message} {e.Message == first.Message}");
            }
        });
        Assert.Equal("a: What is fastened to node a cannot be reached: node d is not connected with node a. True True", await said.Task.Within());
    }

    [Fact]
    public async Task A_call_breaks_clearly_when_its_node_was_started_anew()
    {
        var (said, call) = (new TaskCompletionSource<string>(), new TaskCompletionSource());
        _b.Provide("said", said);
        _b.Provide("call", call);
        var process = _a.Start(static async () =>
        {
            var surveyor = new Surveyor(new Ledger());
            await Here.MoveTo("b");
            await Here.Resource<TaskCompletionSource>("call").Task;
            Here.Resource<TaskCompletionSource<string>>("said").SetResult(Assert.Throws<BindingBrokenException>(() => surveyor.Ledger.Total).Message);
        });
        await Limits.Until(() => process.Node == "b", "the move");
        _b.Connect(new("a"));
        call.SetResult();   // the node that started it has been replaced, and says nothing to b any more
        Assert.Contains("node a cannot be reached: the node was started anew", await said.Task.Within());
    }

    [Fact]
    public async Task A_call_under_way_keeps_the_process_until_it_is_answered()
    {
        var ledger = new Ledger { Begun = new(), Ends = new() };
        _a.Provide("ledger", ledger);
        var process = _a.Start(static async () =>
        {
            var surveyor = new Surveyor(Here.Resource<ILedger>("ledger"));
            await Here.MoveTo("b");
            var total = await surveyor.Ledger.AddAsync(5);
            await Here.Yield();
            return $"{total} {Here.Node}";
        });
        await ledger.Begun.Task.Within();
        await _a.AskAsync(process.Id, AskKind.Inspect, "", "could not be looked at", Limits.Seconds(10), TestContext.Current.CancellationToken);   // answered after the turn that has called
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => process.MoveToAsync("c", TimeSpan.FromMilliseconds(20)));
        Assert.Contains("it waits for Task<Int32>", refused.Message);
        var move = process.MoveToAsync("c");
        ledger.Ends.SetResult();
        await move.Within();
        Assert.Equal("5 c", await process.Completion.Within());
        Assert.Equal(5, ledger.Total);
    }

    [Fact]
    public async Task What_was_left_behind_is_let_go_of_when_the_process_has_ended()
    {
        static WeakReference Start(MobileNode node, out MobileProcess<int> process)
        {
            var surveyor = new Surveyor(new Ledger());
            process = node.Start(async () =>
            {
                await Here.MoveTo("b");
                surveyor = null!;   // what is not held any more is told of all the same
                await Here.MoveTo("c");
                return await Here.Event<int>("end");
            });
            return new(surveyor.Ledger);
        }

        var left = Start(_a, out var process);
        await Limits.Until(() => process.Node == "c", "the moves");
        Assert.Equal(1, _a.Fastened.Count);
        process.Raise("end", 1);
        await process.Completion.Within();
        await Limits.Until(() => _a.Fastened.Count == 0, "the object to be let go of");
        await Limits.Until(() =>
        {
            GC.Collect();
            return !left.IsAlive;
        }, "the object to be collected");
    }

    [Fact]
    public async Task An_object_that_is_declared_as_its_class_cannot_be_a_stand_in()
    {
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => _a.Start(static async () =>
        {
            var holder = new StrongHolder();
            await Here.MoveTo("b");
            return holder;
        }).Completion.Within());
        Assert.Contains("a Ledger cannot be bound in this way", refused.Message);
    }

    sealed class StrongHolder
    {
        [Fastened] readonly Ledger _ledger = new();

        public override string ToString() => $"{_ledger}";
    }
}
