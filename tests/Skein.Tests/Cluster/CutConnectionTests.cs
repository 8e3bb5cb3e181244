using System.Collections.Concurrent;
using System.Net;
using System.Runtime.Versioning;

namespace Skein.Tests.Cluster;

/// <summary>A real connection between two nodes, cut at one place after the other of the exchange that moves a process.</summary>
[SupportedOSPlatform("linux")]
public sealed class CutConnectionTests : IAsyncDisposable
{
    static readonly ConcurrentBag<int> Answered = [];

    readonly string _folder = Directory.CreateTempSubdirectory("skein-cut-").FullName;
    readonly ClusterAuthority _authority = ClusterAuthority.Create();
    readonly List<IAsyncDisposable> _started = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var one in Enumerable.Reverse(_started))
            await one.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static async Mobile<string> Answer()
    {
        var number = await Here.Receive<int>();
        Answered.Add(number);
        return Here.Node!;
    }

    async Task<ClusterNode> Start(string name, ClusterOptions options)
    {
        var node = await ClusterNode.StartAsync(name, options with { Folder = Path.Combine(_folder, name), Identity = _authority.Issue(name) }).Within();
        _started.Add(node);
        return node;
    }

    [Fact]
    public async Task A_connection_that_is_cut_at_any_place_of_a_move_leaves_one_process_that_goes_on()
    {
        var places = Limits.Long ? 200 : 20;
        var a = await Start("a", new() { Listen = new(IPAddress.Loopback, 0) });
        var relay = new PeerRelay(a.Listening!);
        _started.Add(relay);
        var b = await Start("b", new() { Peers = [relay.Address] });

        await MoveAsync(-2, long.MaxValue);   // code, names: what is said once
        var before = relay.Bytes;
        Assert.Equal("b", await MoveAsync(-1, long.MaxValue));
        var length = relay.Bytes - before;
        for (var place = 0; place < places; place++)
            await MoveAsync(place, length * place / places);
        Assert.InRange(relay.Cuts, places * 3 / 4, places);   // an exchange may be a little shorter than the one that was measured: what waits together goes in one piece

        async Task<string> MoveAsync(int number, long cutAfter)
        {
            await Limits.Until(() => a.Node.Peers.Find("b") is { IsOpen: true } && b.Node.Peers.Find("a") is { IsOpen: true }, "the connection", 30);
            var process = a.Node.Start(static () => Answer());
            relay.CutAfter(cutAfter);
            string? stayed = null;
            try
            {
                await process.MoveToAsync("b").Within(60);
            }
            catch (CannotMoveException e)
            {
                stayed = e.Message;
            }
            process.Send(number);
            var node = await process.Completion.Within(60);
            relay.CutAfter(long.MaxValue);
            Assert.True(stayed is not null || node == "b", $"place {number}: it was moved, and answers at {node}");
            Assert.Single(Answered, number);
            await Limits.Until(() => a.Node.Count + b.Node.Count == 0, () => $"place {number}: {a.Node.Count} at a, {b.Node.Count} at b");
            return node;
        }
    }
}
