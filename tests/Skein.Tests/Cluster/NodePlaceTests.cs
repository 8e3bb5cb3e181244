using System.Runtime.Versioning;
using Skein.Tests.Child;
using Skein.Tests.Cli;

namespace Skein.Tests.Cluster;

/// <summary>A node as a place, beyond what all places do: its processes are its own, and go on elsewhere.</summary>
[SupportedOSPlatform("linux")]
public sealed class NodePlaceTests : IAsyncDisposable
{
    readonly ScratchFolder _folder = new();
    readonly List<IAsyncDisposable> _started = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _started)
            await one.DisposeAsync();
        _folder.Dispose();
    }

    NodePlace At(string name) => Place.Node(name, _folder["nodes"]);

    async Task<ClusterNode> Start(string name)
    {
        var node = await ClusterNode.StartAsync(name, new() { Folder = _folder["nodes"] }).Within();
        _started.Add(node);
        return node;
    }

    [Fact]
    public async Task A_mobile_function_that_goes_on_elsewhere_has_its_result_where_it_was_started()
    {
        await Start("a");
        await Start("b");
        await using var process = await At("a").StartAsync(NodeCase.Visit, new[] { "b", "a", "b" }).Within();
        Assert.Equal("a b a b", await process.Completion.Within());
        Assert.Equal(0, (await process.Exited.Within()).Code);
        Assert.Equal(Environment.ProcessId, process.OsProcessId);

        // It is asked to stop, and killed, wherever it is.
        await using var listening = await At("a").StartAsync(NodeCase.StayUntilStopped, "b").Within();
        await listening.StopAsync(Limits.Seconds(10)).Within(30);
        Assert.Equal("b", await listening.Completion.Within());
        await using var deaf = await At("a").StartAsync(NodeCase.Stay, "b").Within();
        deaf.Kill();
        Assert.Equal(ExitCause.Killed, (await Assert.ThrowsAsync<ProcessLostException>(() => deaf.Completion.Within())).Exit.Cause);
    }

    [Fact]
    public async Task What_was_started_belongs_to_its_node_and_not_to_the_program_that_has_started_it()
    {
        var a = await Start("a");
        var id = await At("a").StartDetachedAsync(typeof(NodeCase).GetMethod(nameof(NodeCase.Stay))!, ["a"]).Within();
        await Limits.Until(() => a.Node.Peers.All.All(peer => !peer.IsGuest), "the guest to be forgotten");
        Assert.Equal(id, Assert.Single(a.Node.List()).Id);
        await Limits.Until(() => a.Node.List().Single().Name == "NodeCase.Stay", "its first turn");
    }

    [Fact]
    public async Task A_node_that_ends_costs_what_was_there_and_one_that_does_not_run_says_how_to_start_it()
    {
        var a = await Start("a");
        var process = await At("a").StartAsync(NodeCase.Stay, "a").Within();
        await a.DisposeAsync();
        var lost = await Assert.ThrowsAsync<ProcessLostException>(() => process.Completion.Within());
        Assert.Equal(ExitCause.Lost, lost.Exit.Cause);
        Assert.Contains("skein node start --name a", (await Assert.ThrowsAsync<PlaceException>(() => At("a").StartAsync(NodeCase.Stay, "a").Within())).Message);
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_nothing_behind_however_late_the_node_hears_of_it()
    {
        Assert.SkipUnless(Limits.Long, "a node is started and stopped for it: ./check --long");
        var there = await NodeProcess.StartAsync("b", _folder["nodes"]);
        _started.Add(there);
        await Start("a");
        using var cancellation = new CancellationTokenSource();
        var guest = await GuestConnection.OpenAsync(new(_folder["nodes"]), "b", TestContext.Current.CancellationToken);
        there.Stop();
        var file = _folder["begun"];
        var starting = guest.StartAsync(CalledFunction.Of(typeof(NodeCase).GetMethod(nameof(NodeCase.LeaveFile))!, [file]), isHeard: true, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.Within());
        there.Continue();
        await Limits.Until(() => File.Exists(file), "its start");
        await Limits.Until(() => Asked.Async(_folder["nodes"], "b", "ps").GetAwaiter().GetResult().Data.Single().GetProperty("processes").GetArrayLength() == 0, "its end");
    }

    [Fact]
    public async Task Limits_that_a_node_cannot_hold_are_refused()
    {
        await Assert.ThrowsAsync<NotSupportedException>(() => At("a").StartAsync(NodeCase.Stay, "a", new() { MemoryLimit = 1 << 28 }));
        await Assert.ThrowsAsync<NotSupportedException>(() => At("a").StartProgramAsync(new("true")));
        await Assert.ThrowsAsync<ArgumentException>(() => At("a").StartAsync(typeof(NodeCase).GetMethod(nameof(NodeCase.Run))!, []));
        await Assert.ThrowsAsync<ArgumentException>(() => At("a").StartAsync(typeof(NodeCase).GetMethod(nameof(NodeCase.Stay))!, []));
        Assert.Throws<ArgumentException>(() => At("../a"));
    }
}
