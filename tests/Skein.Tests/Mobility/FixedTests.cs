namespace Skein.Tests.Mobility;

/// <summary>What each node has its own of is bound again at each.</summary>
public class FixedTests
{
    readonly MobileNode _a = new("a"), _b = new("b"), _c = new("c");

    public FixedTests()
    {
        _a.Connect(_b);
        _a.Connect(_c);
        _a.Provide("ledger", new Ledger("a's"));
        _b.Provide("ledger", new Ledger("b's"));
        _c.Provide("ledger", "a text");
    }

    sealed class Ledger(string name)
    {
        readonly Lock _lock = new();   // does not travel

        public string Name
        {
            get
            {
                lock (_lock)
                    return name;
            }
        }
    }

    sealed class Surveyor
    {
        [Fixed] readonly Ledger _ledger = Here.Resource<Ledger>("ledger");

        public string Read() => _ledger.Name;
    }

    [Fact]
    public async Task A_field_is_bound_again_by_name_at_each_node()
    {
        Assert.Equal("a's b's a's", await _a.Start(static async () =>
        {
            var surveyor = new Surveyor();
            var read = surveyor.Read();
            await Here.MoveTo("b");
            read += " " + surveyor.Read();
            await Here.MoveTo("a");
            return $"{read} {surveyor.Read()}";
        }).Completion.Within());
    }

    [Fact]
    public async Task A_wrapped_value_is_bound_again_by_name_at_each_node()
    {
        Assert.Equal("a's b's", await _a.Start(static async () =>
        {
            var ledger = Fixed.Of(Here.Resource<Ledger>("ledger"));
            var read = ledger.Value.Name;
            await Here.MoveTo("b");
            return $"{read} {ledger.Value.Name}";
        }).Completion.Within());
    }

    [Fact]
    public async Task A_node_that_lacks_it_refuses_the_process_which_goes_on_where_it_was()
    {
        static async Mobile<string> Try(string node)
        {
            var ledger = Fixed.Of(Here.Resource<Ledger>("ledger"));
            try
            {
                await Here.MoveTo(node);
                return "moved";
            }
            catch (CannotMoveException e)
            {
                return $"{Here.Node} {ledger.Value.Name}: {e.Message}";
            }
        }

        var d = new MobileNode("d");
        _a.Connect(d);
        var refused = await _a.Start(static () => Try("d")).Completion.Within();
        Assert.StartsWith("a a's: ", refused, StringComparison.Ordinal);
        Assert.Contains("Node d has no resource named ledger", refused);
        Assert.Contains("The resource ledger of node c is a String, no Ledger", await _a.Start(static () => Try("c")).Completion.Within());
        Assert.Equal((0, 0), (d.Count, _c.Count));
    }

    [Fact]
    public async Task What_the_node_does_not_provide_keeps_the_process_there()
    {
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => _a.Start(static async () =>
        {
            var mine = Fixed.Of(new Ledger("mine"));
            await Here.MoveTo("b");
            return mine.Value.Name;
        }).Completion.Within());
        Assert.Contains("Ledger is fixed, and node a provides no such object", refused.Message);
        Assert.EndsWith("→ local 'mine' → _value", refused.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_bound_again_when_a_process_is_restored()
    {
        var process = _a.Start(static async () =>
        {
            var surveyor = new Surveyor();
            await Here.Event<bool>("read");
            return surveyor.Read();
        });
        var image = await process.CaptureAsync().Within();
        process.Kill();
        Assert.Contains("no resource named ledger", Assert.Throws<CannotMoveException>(() => new MobileNode("empty").Restore<string>(image)).Message);
        var restored = _b.Restore<string>(image);
        restored.Raise("read", true);
        Assert.Equal("b's", await restored.Completion.Within());
    }

    [Fact]
    public async Task It_does_not_travel_in_a_message()
    {
        var process = _a.Start(static async () => await Here.Receive<object>());
        Assert.Contains("not in a message", Assert.Throws<CannotTravelException>(() => process.Send<object>(Fixed.Of(new Ledger("mine")))).Message);
        process.Kill();
        await Assert.ThrowsAsync<TaskCanceledException>(() => process.Completion.Within());
    }
}
