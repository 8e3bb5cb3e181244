namespace Skein.Tests.Mobility;

/// <summary>A process that computes and does not wait: it can be killed, and a move of it ends at its limit.</summary>
public class EndlessTurnTests
{
    sealed class Flag
    {
        public volatile bool IsSet;
        public volatile bool IsComputing;
        public volatile bool WasRefused;
        public volatile bool WentOn;
    }

    readonly MobileNode _a = new("a"), _b = new("b");
    readonly Flag _flag = new();

    public EndlessTurnTests()
    {
        _a.Connect(_b);
        _a.Provide("flag", _flag);
    }

    /// <summary>Computes until the flag is set; then it tries to go on.</summary>
    static async Mobile<int> Compute(bool atOnce)
    {
        if (!atOnce)
            await Here.Yield();
        var flag = Here.Resource<Flag>("flag");
        flag.IsComputing = true;
        while (!flag.IsSet)
            Thread.Sleep(1);
        try
        {
            Here.Send(Here.Id!, "still here");
        }
        catch (OperationCanceledException)
        {
            flag.WasRefused = true;
        }
        flag = null;
        await Here.Yield();
        Here.Resource<Flag>("flag").WentOn = true;
        return 1;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_is_killed_for_everybody_else_and_nothing_more_of_it_runs(bool atOnce)
    {
        var process = _a.Start(() => Compute(atOnce));
        await Limits.Until(() => _flag.IsComputing, "the computation");
        var look = _a.AskAsync(process.Id, AskKind.Inspect, "", "could not be looked at", Limits.Seconds(30), TestContext.Current.CancellationToken);
        process.Kill();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
        Assert.Empty(_a.List());
        await Assert.ThrowsAsync<CannotMoveException>(() => look.Within());   // it has ended for whoever asked before, too
        _flag.IsSet = true;
        await Limits.Until(() => _flag.WasRefused, "its letter to be refused");
        Assert.Equal("a", await _a.Start(static async () => { await Here.Yield(); return Here.Node!; }).Completion.Within());
        Assert.False(_flag.WentOn);
    }

    [Fact]
    public async Task A_move_of_it_ends_at_its_limit_and_says_so()
    {
        var process = _a.Start(static () => Compute(false));
        await Limits.Until(() => _flag.IsComputing, "the computation");
        var late = await Assert.ThrowsAsync<CannotMoveException>(() => process.MoveToAsync("b", TimeSpan.FromMilliseconds(100)).Within());
        Assert.Contains("it computes and does not wait for anything", late.Message);
        Assert.True(late.IsLate);
        _flag.IsSet = true;
        Assert.Equal(1, await process.Completion.Within());
    }

    [Fact]
    public async Task One_that_waits_is_killed_at_once_and_not_given_up()
    {
        var process = _a.Start(static () => Here.Event<int>("never"));
        process.Kill();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
    }
}
