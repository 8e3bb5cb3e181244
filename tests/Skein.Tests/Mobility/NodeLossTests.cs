namespace Skein.Tests.Mobility;

/// <summary>Whoever has started a process hears that it is lost, and whoever asks for one hears that nobody can answer.</summary>
public class NodeLossTests
{
    readonly ManualTime _time = new();
    readonly MobileNode _home, _between, _lost;
    readonly MemoryConnection _last;

    public NodeLossTests()
    {
        (_home, _between, _lost) = (new("home", _time), new("between", _time), new("lost", _time));
        _home.Connect(_between);
        _last = MemoryConnection.Join(_between.Peers, _lost.Peers);   // what that says to the first is never heard, as where it is killed before it can
    }

    static async Mobile<int> Go(string[] nodes)
    {
        foreach (var node in nodes)
            await Here.MoveTo(node);
        return await Here.Event<int>("go");
    }

    async Task End() => await Task.Run(() => _between.Peers.End(_between.Peers.Find("lost")!));

    [Fact]
    public async Task A_process_is_lost_with_a_node_that_could_not_say_any_more_that_it_was_there()
    {
        var process = _home.Start(static () => Go(["between", "lost"]));
        await Limits.Until(() => _lost.Count == 1, "its arrival");
        await Limits.Until(() => process.Node == "between", "its first move to be heard of");
        await End();
        await PassAsync(() => process.Completion.IsCompleted);
        Assert.Equal("lost", (await Assert.ThrowsAsync<NodeLostException>(() => process.Completion.Within())).Node);
    }

    [Fact]
    public async Task An_ask_that_was_lost_with_a_node_is_answered_after_all()
    {
        var process = _between.Start(static () => Go(["lost"]));
        await Limits.Until(() => _lost.Count == 1 && process.Node == "lost", "its arrival");
        _last.Close();   // what is said from here on it never hears
        await Limits.Until(() => !_between.Peers.Find("lost")!.IsConnected, "the cut");
        var moving = _between.AskAsync(process.Id, AskKind.Move, "between", "could not be moved", TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        await PassAsync(() => false, TimeSpan.FromSeconds(3));   // and nobody wants it any more
        await End();
        await PassAsync(() => moving.IsCompleted, TimeSpan.FromSeconds(5));
        Assert.True((await Assert.ThrowsAsync<CannotMoveException>(() => moving.Within())).IsEnd);
    }

    async Task PassAsync(Func<bool> condition, TimeSpan? most = null)
    {
        for (var passed = TimeSpan.Zero; !condition() && passed < (most ?? TimeSpan.FromMinutes(5)); passed += TimeSpan.FromSeconds(1))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
