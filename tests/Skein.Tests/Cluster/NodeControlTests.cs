using System.Globalization;
using System.Runtime.Versioning;
using Skein.Tests.Child;
using Skein.Tests.Cli;

namespace Skein.Tests.Cluster;

/// <summary>What operators see of nodes and do to what runs there, over the control sockets that the commands use.</summary>
[SupportedOSPlatform("linux")]
public sealed class NodeControlTests : IAsyncDisposable
{
    readonly ScratchFolder _folder = new();
    readonly List<IAsyncDisposable> _started = [];

    string Nodes => _folder["nodes"];

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _started)
            await one.DisposeAsync();
        _folder.Dispose();
    }

    async Task<ClusterNode> Start(string name, ClusterOptions? options = null)
    {
        var node = await ClusterNode.StartAsync(name, (options ?? new()) with { Folder = Nodes }).Within();
        _started.Add(node);
        return node;
    }

    Task<Asked> Ask(string node, params string[] words) => Asked.Async(Nodes, node, words);

    async Task<(string Id, string State, string Name)[]> Processes(string node, params string[] id) =>
    [
        .. (await Ask(node, ["ps", .. id])).Data.Single().GetProperty("processes").EnumerateArray()
            .Select(static process => (process.GetProperty("id").GetString()!, process.GetProperty("state").GetString()!, process.GetProperty("name").GetString()!)),
    ];

    /// <summary>This one is there, and no other; it may have something to do yet.</summary>
    Task Waits(string node, string id, params string[] asked)
    {
        var seen = Array.Empty<(string, string, string)>();
        return Limits.Until(
            () => (seen = Processes(node, asked).GetAwaiter().GetResult()).SequenceEqual([(id, "waiting", "NodeCase.Stay")]),
            () => $"{id} at {node}: {string.Join(", ", seen)}");
    }

    [Fact]
    public async Task A_process_is_listed_looked_at_moved_and_killed_wherever_it_is()
    {
        var (a, b) = (await Start("a"), await Start("b"));
        var process = a.Node.Start(static () => NodeCase.Stay("a"));
        await Waits("a", process.Id);
        Assert.True((await Ask("a", "move", process.Id, "b", "10")).IsDone);
        Assert.Empty(await Processes("a"));
        await Waits("b", process.Id);
        Assert.Equal("b", (await Ask("a", "inspect", process.Id)).Data.Single().GetProperty("node").GetString());   // whoever is asked
        Assert.Equal([(process.Id, "elsewhere", "")], await Processes("a", process.Id));   // and who may have been passed by
        await Waits("b", process.Id, process.Id);

        var refused = await Ask("b", "move", process.Id, "nowhere", "10");
        Assert.Equal((false, false), (refused.IsDone, refused.IsLate));
        Assert.Contains("connected with no node named nowhere", refused.Why);
        Assert.True((await Ask("a", "kill", process.Id)).IsDone);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
        Assert.Equal(0, b.Node.Count);
        Assert.Empty(await Processes("a", process.Id));
        Assert.Empty(await Processes("b", process.Id));
    }

    [Fact]
    public async Task A_move_that_takes_too_long_is_told_from_one_that_is_refused()
    {
        var a = await Start("a");
        await Start("b");
        var open = new TaskCompletionSource<int>();
        var process = a.Node.Start(() => Wait(open.Task));
        var late = await Ask("a", "move", process.Id, "b", string.Create(CultureInfo.InvariantCulture, $"{Limits.Seconds(0.1).TotalSeconds}"));
        Assert.Equal((false, true), (late.IsDone, late.IsLate));
        Assert.Contains("Task<Int32>", late.Why);
        open.SetResult(3);
        Assert.Equal(3, await process.Completion.Within());

        static async Mobile<int> Wait(Task<int> task) => await task;
    }

    [Fact]
    public async Task Two_operators_who_move_the_same_process_at_once_leave_one_of_it_where_one_of_them_wanted_it()
    {
        var nodes = new[] { await Start("a"), await Start("b"), await Start("c") };
        var file = _folder["steps"];
        var process = nodes[0].Node.Start(() => NodeCase.CountEvents("step", file));
        for (var round = 1; round <= (Limits.Long ? 500 : 10); round++)
        {
            var moved = await Task.WhenAll(Ask("a", "move", process.Id, "b", "20"), Ask("a", "move", process.Id, "c", "20"));
            Assert.All(moved, answer => Assert.True(answer.IsDone, answer.Why));
            process.Raise("step", true);
            await Limits.Until(() => File.Exists(file) && File.ReadAllLines(file).Length == round, "the step");
            Assert.Equal(1, nodes.Sum(static node => node.Node.Count));
            Assert.Equal(0, nodes[0].Node.Count);
        }
        process.Raise("step", false);
        Assert.Contains(await process.Completion.Within(), (string[])["b", "c"]);
        Assert.Equal(Enumerable.Range(1, File.ReadAllLines(file).Length), File.ReadAllLines(file).Select(static line => int.Parse(line, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task What_is_moved_by_operators_while_a_node_is_stopped_and_killed_runs_once_or_is_lost_with_it()
    {
        Assert.SkipUnless(Limits.Long, "three nodes are started for it, and kept busy: ./check --long");
        var here = await Start("t");
        var others = await Task.WhenAll(((string[])["a", "b", "c"]).Select(name => NodeProcess.StartAsync(name, Nodes, answerLimit: 500)));
        _started.AddRange(others);
        var b = others[1];
        var processes = Enumerable.Range(0, 8).Select(i => (File: _folder[$"{i}.steps"], Process: (MobileProcess<string>)null!)).ToArray();
        for (var i = 0; i < processes.Length; i++)
        {
            var file = processes[i].File;
            processes[i].Process = here.Node.Start(() => NodeCase.CountEvents("step", file));
        }
        using var over = new CancellationTokenSource();
        var operators = processes.Select(each => RoamAsync(each.Process)).ToArray();
        await Limits.Until(() => Array.Exists(processes, static each => each.Process.Node == "b"), "one to be there", 30);
        for (var round = 0; round < 20; round++)
        {
            b.Stop();
            var refused = await here.Node.Start(static () => NodeCase.TryFrom("a", "b")).Completion.Within(60);   // at the limit
            Assert.Contains("It does not answer", refused);
            b.Continue();
            Step();
        }
        await b.KillAsync();
        Step();
        await over.CancelAsync();
        await Task.WhenAll(operators).Within(60);
        foreach (var (file, process) in processes)
        {
            process.Raise("step", false);
            try
            {
                Assert.Contains(await process.Completion.Within(60), (string[])["a", "c", "t"]);
            }
            catch (NodeLostException lost)
            {
                Assert.Equal("b", lost.Node);
            }
            var steps = File.Exists(file) ? File.ReadAllLines(file).Select(static line => int.Parse(line, CultureInfo.InvariantCulture)).ToArray() : [];
            Assert.Equal(Enumerable.Range(1, steps.Length), steps);   // two of it would have counted twice
        }

        // Operators who do not know of each other, and are asked nothing.
        async Task RoamAsync(MobileProcess process)
        {
            var chance = new Random();
            while (!over.IsCancellationRequested && !process.Completion.IsCompleted)
            {
                var to = new[] { "a", "b", "c", "t" };
                await Task.WhenAll(Ask("t", "move", process.Id, to[chance.Next(4)], "1"), Ask("t", "move", process.Id, to[chance.Next(4)], "1")).Within(60);
            }
        }

        void Step()
        {
            foreach (var (_, process) in processes)
                process.Raise("step", true);
        }
    }

    [Fact]
    public async Task Draining_moves_all_away_and_names_what_has_to_stay()
    {
        var (a, b) = (await Start("a"), await Start("b"));
        var open = new TaskCompletionSource<int>();
        var (moves, stays) = (a.Node.Start(static () => NodeCase.Stay("a")), a.Node.Start(() => Wait(open.Task)));
        var left = await a.DrainAsync(Limits.Seconds(0.25)).Within(30);
        Assert.Equal(stays.Id, Assert.Single(left).Key);
        Assert.Contains("Task<Int32>", left[stays.Id]);
        Assert.Equal("b", moves.Node);
        open.SetResult(1);
        await stays.Completion.Within();
        var c = await Start("c");
        Assert.True((await Ask("b", "drain")).IsDone);   // to the one that is not drained
        Assert.Equal((0, 0, 1), (a.Node.Count, b.Node.Count, c.Node.Count));

        static async Mobile<int> Wait(Task<int> task) => await task;
    }

    [Fact]
    public async Task Nodes_that_are_drained_at_once_take_nothing_of_each_other()
    {
        var (a, b, c) = (await Start("a"), await Start("b"), await Start("c"));
        for (var i = 0; i < 12; i++)
        {
            a.Node.Start(static () => NodeCase.Stay("a"));
            b.Node.Start(static () => NodeCase.Stay("b"));
        }
        Assert.All(await Task.WhenAll(a.DrainAsync(), b.DrainAsync()).Within(30), Assert.Empty);
        Assert.Equal((0, 0, 24), (a.Node.Count, b.Node.Count, c.Node.Count));
        Assert.Contains("Node a is drained, and takes nothing.", await c.Node.Start(static () => NodeCase.Try("a")).Completion.Within());
        Assert.Contains("takes nothing", (await Assert.ThrowsAsync<PlaceException>(() => Place.Node("a", Nodes).StartAsync(NodeCase.Stay, "a").Within())).Message);
        Assert.Contains("takes nothing", (await Ask("a", "run", "/", "detached", "true", "true")).Why);
        Assert.Equal("drained", (await Ask("a", "ps")).Data.Single().GetProperty("state").GetString());
    }

    sealed class Unspeakable : Exception
    {
        public override string ToString() => throw new NotSupportedException("nobody may know");
    }

    [Fact]
    public async Task A_process_whose_end_cannot_be_put_into_words_has_ended_nevertheless()
    {
        var a = await Start("a");
        var process = a.Node.Start(static async () =>
        {
            await Here.Yield();
            throw new Unspeakable();
        });
        await Assert.ThrowsAsync<Unspeakable>(() => process.Completion.Within());
        Assert.Equal(0, a.Node.Count);
    }

    [Fact]
    public async Task An_image_is_a_file_that_another_node_goes_on_from()
    {
        var (a, b) = (await Start("a"), await Start("b"));
        var process = a.Node.Start(static () => NodeCase.Stay("a"));
        Assert.True((await Ask("a", "checkpoint", process.Id, _folder["image"], "10")).IsDone);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["image"]));
        Assert.Contains("is at node a and has not ended", (await Ask("b", "restore", _folder["image"])).Why);
        await process.MoveToAsync("b").Within();
        Assert.Contains("is at node b and has not ended", (await Ask("b", "restore", _folder["image"])).Why);
        Assert.Equal(1, b.Node.Count);
        process.Kill();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
        Assert.Equal(process.Id, (await Ask("b", "restore", _folder["image"])).Data.Single().GetProperty("id").GetString());
        await Waits("b", process.Id);
        Assert.Contains("has not ended", (await Ask("b", "restore", _folder["image"])).Why);
        Assert.Contains("was not restored", (await Ask("b", "restore", _folder.Write("bad", "no image"))).Why);
        var other = new MobileNode("other") { Framework = new(new(10, 0, 11), ~FrameworkLayout.Own.Fingerprint) };   // as in OtherFrameworkTests
        File.WriteAllBytes(_folder["other"], await other.Start(static () => NodeCase.Stay("other")).CaptureAsync().Within());
        Assert.Contains("other was not restored: The image was made with .NET 10.0.11, whose", (await Ask("b", "restore", _folder["other"])).Why);
    }

    [Fact]
    public async Task Only_its_user_may_ask_and_only_for_what_there_is()
    {
        await Start("a");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Nodes, "a.sock")));
        Assert.Contains("knows no process x", (await Ask("a", "move", "x", "b", "1")).Why);
        Assert.Contains("is part of a program", (await Ask("a", "kill")).Why);
        Assert.Contains("does not know 'fly'", (await Ask("a", "fly")).Why);
        Assert.Contains("start it with --listen", (await Ask("a", "token", "", "60")).Why);
    }
}
