using System.Net;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Skein.Tests.Cluster;

/// <summary>Either of two real nodes is killed, or stopped beyond every limit, at one step after the other of a move.</summary>
[SupportedOSPlatform("linux")]
public sealed class LostNodeTests : IAsyncLifetime
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-lost-").FullName;
    readonly Dictionary<string, NodeProcess> _nodes = [];
    PeerRelay? _relay;
    int _moves;

    public async ValueTask InitializeAsync()
    {
        using var authority = ClusterAuthority.Create();
        foreach (var name in (string[])["a", "b"])
        {
            using var identity = authority.Issue(name);
            identity.Save(Path.Combine(_folder, name));
        }
        _relay = new(await StartAsync("a"));
        await StartAsync("b");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
        if (_relay is not null)
            await _relay.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public Task A_node_that_is_killed_at_any_step_of_a_move_leaves_one_process_that_goes_on() => AtEachStep(async name =>
    {
        await _nodes[name].DisposeAsync();   // by SIGKILL
        _relay!.Release(isLost: true);
        var address = await StartAsync(name);
        if (name == "a")
            _relay.Target = address;
    });

    [Fact]
    public Task A_node_that_is_stopped_at_any_step_of_a_move_leaves_one_process_that_goes_on() => AtEachStep(async name =>
    {
        _nodes[name].Stop();
        await Task.Delay(TimeSpan.FromMilliseconds(300));   // as long as it stands still: longer than the limit of an answer
        _relay!.Release();
        _nodes[name].Continue();
    });

    /// <summary>A fault of either node at each step; in the quick run of one of the two.</summary>
    async Task AtEachStep(Func<string, Task> fault)
    {
        var steps = 0;
        for (var (arrived, tries) = (0, 0); arrived < 2; tries++)   // the first one takes along what is said once
        {
            Assert.True(tries < 50, "a move without a fault stays");
            var before = _relay!.Pieces;
            var (node, _) = await MoveAsync(int.MaxValue, () => Task.CompletedTask);
            arrived += node == "b" ? 1 : 0;
            steps = _relay.Pieces - before;
        }
        Assert.InRange(steps, 4, 40);
        var (faults, nodes) = (0, new HashSet<string>());
        for (var round = 0; round < (Limits.Long ? 5 : 1); round++)
        {
            for (var step = 0; step < steps; step++)
            {
                foreach (var name in Limits.Long ? (string[])["a", "b"] : [step % 2 == 0 ? "a" : "b"])
                {
                    var (node, wasFault) = await MoveAsync(step, () => fault(name));
                    nodes.Add(node);
                    faults += wasFault ? 1 : 0;
                }
            }
        }
        TestContext.Current.SendDiagnosticMessage($"{steps} steps, {faults} faults, went on at {string.Join(", ", nodes)}");
        Assert.InRange(faults, steps / 2, int.MaxValue);
    }

    /// <returns>Where it went on; whether there was a fault.</returns>
    async Task<(string Node, bool WasHeld)> MoveAsync(int step, Func<Task> fault)
    {
        await Limits.Until(async () => (await AskAsync("a")).GetProperty("peers").GetArrayLength() == 1, static () => "the connection", 30);
        var file = Path.Combine(_folder, $"{++_moves}");
        await _nodes["a"].Input.WriteLineAsync(file);
        await Limits.Until(() => Lines(file).Length == 1, Said);
        var held = _relay!.HoldAfter(step);
        File.WriteAllText($"{file}.go", "");
        await Limits.Until(async () => held.IsCompleted || (Arrived() is not null && await CountAsync() == 1), Said);
        var wasHeld = held.IsCompleted;
        if (wasHeld)
            await fault();
        _relay.Release();

        await Limits.Until(async () => Arrived() is not null && await CountAsync() == 1, Said, 30);
        File.WriteAllText($"{file}.end", "");
        await Limits.Until(async () => await CountAsync() == 0, Said, 30);
        Assert.True(Lines(file).Count(static line => line == "end") == 1, Said());
        return (Arrived()!, wasHeld);

        string Said() => $"step {step}: {string.Join(", ", Lines(file))}";

        string? Arrived() => Lines(file).LastOrDefault(static line => line.StartsWith("at ", StringComparison.Ordinal))?["at ".Length..];
    }

    static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];

    async Task<int> CountAsync() => (await AskAsync("a")).GetProperty("processes").GetArrayLength() + (await AskAsync("b")).GetProperty("processes").GetArrayLength();

    async Task<JsonElement> AskAsync(string name) => (await Asked.Async(Path.Combine(_folder, name), name, "ps")).Data.Single();

    /// <returns>Where it listens.</returns>
    async Task<IPEndPoint> StartAsync(string name)
    {
        var node = _nodes[name] = await NodeProcess.StartFarAsync(name, Path.Combine(_folder, name), name == "b" ? $"{_relay!.Address}" : "");
        return IPEndPoint.Parse(node.Ready);
    }
}
