namespace Skein.Tests.Mobility;

/// <summary>Weak mobility: a function that may begin again, elsewhere.</summary>
public class RestartTests
{
    readonly ManualTime _time = new();
    readonly MobileNode _a, _b;
    readonly TaskCompletionSource<string> _begun = new();

    public RestartTests()
    {
        (_a, _b) = (new("a", _time), new("b", _time));
        _a.Connect(_b);
        _b.Provide("begun", _begun);
        _a.Provide("begun", _begun);
    }

    sealed class Counted
    {
        public int Value = 1;
    }

    /// <summary>Cannot be written where it waits.</summary>
    static async Mobile<string> Count(Counted from)
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        from.Value++;
        var end = await Here.Event<bool>("end");
        return $"{Here.Node} {from.Value} {end}";
    }

    [Fact]
    public async Task A_function_that_cannot_move_is_started_again_elsewhere_with_its_arguments()
    {
        var from = new Counted();
        var process = _a.Start(() => Count(from), restartable: true);
        from.Value = 100;   // its arguments are those of its start
        await Assert.ThrowsAsync<CannotMoveException>(() => process.MoveToAsync("b"));
        var again = await process.RestartOnAsync("b").Within();
        Assert.True(process.Completion.IsCanceled);
        Assert.Equal((0, 1), (_a.Count, _b.Count));
        again.Raise("end", true);
        Assert.Equal("b 2 True", await again.Completion.Within());
    }

    [Fact]
    public async Task One_that_was_started_again_can_be_once_more_and_one_without_a_result_too()
    {
        var process = await _a.Start(static () => Count(new()), restartable: true).RestartOnAsync("b").Within();
        process = await process.RestartOnAsync("a").Within();
        process.Raise("end", false);
        Assert.Equal("a 2 False", await process.Completion.Within());

        var without = await _a.Start(static async () =>
        {
            Here.Resource<TaskCompletionSource<string>>("begun").TrySetResult(Here.Node!);
            await Here.Event<bool>("end");
        }, restartable: true).RestartOnAsync("b").Within();
        without.Raise("end", true);
        await without.Completion.Within();
    }

    [Fact]
    public async Task A_node_that_does_not_take_it_leaves_it_running()
    {
        var process = _a.Start(static () => Count(new()), restartable: true);
        await Assert.ThrowsAsync<CannotMoveException>(() => process.RestartOnAsync("c").Within());
        process.Raise("end", true);
        Assert.Equal("a 2 True", await process.Completion.Within());
        await Limits.Until(() => _a.Count == 0, "the other one to be gone");
    }

    [Fact]
    public async Task One_whose_author_does_not_allow_it_or_that_has_ended_is_not_started_again()
    {
        var process = _a.Start(static () => Count(new()));
        Assert.Contains("restartable", (await Assert.ThrowsAsync<InvalidOperationException>(() => process.RestartOnAsync("b").Within())).Message);
        process.Raise("end", true);
        Assert.Equal("a 2 True", await process.Completion.Within());

        var ended = _a.Start(static async () =>
        {
            await Here.Yield();
            return 1;
        }, restartable: true);
        await ended.Completion.Within();
        Assert.Contains("has ended by itself", (await Assert.ThrowsAsync<InvalidOperationException>(() => ended.RestartOnAsync("b").Within())).Message);
        await Limits.Until(() => _a.Count + _b.Count == 0, "nothing to be left");

        using var stream = new FileStream("/dev/null", FileMode.Open);
        Assert.Throws<CannotTravelException>(() => { _a.Start(async () => stream.Name, restartable: true); });
    }

    [Fact]
    public async Task One_that_is_lost_with_its_node_is_started_again_at_the_next()
    {
        var c = new MobileNode("c", _time);
        _a.Connect(c);
        var again = new TaskCompletionSource<string>();
        c.Provide("begun", again);
        var runs = _a.RunAsync(static async () =>
        {
            Here.Resource<TaskCompletionSource<string>>("begun").SetResult(Here.Node!);
            return Here.Node == "c" ? "done" : $"{await Here.Event<bool>("never")}";
        }, "nowhere", "b", "c");
        Assert.Equal("b", await _begun.Task.Within());
        _a.Connect(new("b", _time));   // takes the place of the one that has ended
        _time.Advance(TimeSpan.FromSeconds(2));   // it is not heard from meanwhile
        Assert.Equal("done", await runs.Within());
        Assert.Equal("c", await again.Task.Within());
        await Assert.ThrowsAsync<CannotMoveException>(() => _a.RunAsync(static async () => Here.Node, "nowhere", "nor here").Within());
    }
}
