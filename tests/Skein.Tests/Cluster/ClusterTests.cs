using Skein.Tests.Child;

namespace Skein.Tests.Cluster;

/// <summary>Nodes that are operating-system processes: what goes from one to the other does so once, whatever becomes of them.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ClusterTests : IAsyncDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-nodes-").FullName;
    readonly List<IAsyncDisposable> _started = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _started)
            await one.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    async Task<NodeProcess> Start(string name, int answerLimit = 60_000)
    {
        var node = await NodeProcess.StartAsync(name, _folder, answerLimit);
        _started.Add(node);
        return node;
    }

    /// <summary>A node of this program, which starts processes and hears how they end.</summary>
    async Task<ClusterNode> Join(string name = "t", TimeSpan? answerLimit = null)
    {
        var options = new ClusterOptions { Folder = _folder };
        var node = await ClusterNode.StartAsync(name, options with { AnswerLimit = answerLimit ?? options.AnswerLimit }).Within();
        _started.Add(node);
        return node;
    }

    [Fact]
    public async Task Each_letter_arrives_once_and_in_order_while_all_roam_over_three_operating_system_processes()
    {
        var (processes, letters) = Limits.Long ? (60, 200) : (12, 20);
        await Task.WhenAll(Start("a"), Start("b"), Start("c"));
        var here = await Join();
        var seed = Environment.TickCount;
        var wanderers = Enumerable.Range(0, processes).Select(i => here.Node.Start(() => Wanderer.Wander(i, letters, seed + i, places: 3))).ToArray();
        var ids = wanderers.Select(wanderer => wanderer.Id).ToArray();
        foreach (var wanderer in wanderers)
            wanderer.Send(ids);

        var results = await Task.WhenAll(wanderers.Select(wanderer => wanderer.Completion)).Within(60);

        Assert.All(results, result => Assert.True(result == $"{letters * processes} letters in order, in 3 operating-system processes", $"seed {seed}: {result}"));
    }

    [Fact]
    public async Task A_node_that_is_killed_costs_what_was_there_and_nothing_runs_twice()
    {
        await Start("a");
        var b = await Start("b");
        var here = await Join();
        var shuttles = Enumerable.Range(0, 20).Select(i => (File: Path.Combine(_folder, $"{i}.steps"), Process: (MobileProcess<string>?)null)).ToArray();
        for (var i = 0; i < shuttles.Length; i++)
        {
            var file = shuttles[i].File;
            shuttles[i].Process = here.Node.Start(() => NodeCase.Shuttle("a", "b", file));
        }
        await Limits.Until(() => Array.TrueForAll(shuttles, static shuttle => Steps(shuttle.File).Length > 5), "all to be on their way");

        await b.KillAsync();
        var lost = 0;
        foreach (var (_, process) in shuttles)
        {
            process!.Raise("end", true);
            try
            {
                Assert.Equal("a", await process.Completion.Within(30));
            }
            catch (NodeLostException e)
            {
                Assert.Equal("b", e.Node);
                lost++;
            }
        }
        Assert.All(shuttles, static shuttle => Assert.Equal(Enumerable.Range(1, Steps(shuttle.File).Length), Steps(shuttle.File)));

        // Another of its name is found, and goes on as if nothing had been.
        await Start("b");
        Assert.Equal("at b", await MoveThere("b"));
        TestContext.Current.SendDiagnosticMessage($"{lost} of {shuttles.Length} were lost with their node");

        async Task<string> MoveThere(string node)
        {
            var said = "";
            await Limits.Until(() => (said = here.Node.Start(() => NodeCase.Try(node)).Completion.Within().GetAwaiter().GetResult()) == $"at {node}", () => said);
            return said;
        }
    }

    [Fact]
    public async Task A_node_that_stands_still_keeps_nobody_beyond_the_limit_and_nothing_runs_twice()
    {
        await Start("a", answerLimit: 200);
        var b = await Start("b", answerLimit: 200);
        var here = await Join(answerLimit: TimeSpan.FromMinutes(10));
        var shuttles = Enumerable.Range(0, 5).Select(i => Path.Combine(_folder, $"{i}.steps")).Select(file => (File: file, Process: here.Node.Start(() => NodeCase.Shuttle("a", "b", file)))).ToArray();
        var waiting = here.Node.Start(static () => NodeCase.Stay("t"));
        for (var round = 0; round < (Limits.Long ? 50 : 3); round++)
        {
            await Limits.Until(() => Array.TrueForAll(shuttles, shuttle => Steps(shuttle.File).Length > 5 * round), "all to be on their way");
            b.Stop();
            var probe = here.Node.Start(() => NodeCase.Try("a"));
            Assert.Equal("at a", await probe.Completion.Within());   // the others go on
            var refused = here.Node.Start(static () => NodeCase.TryFrom("a", "b")).Completion;
            Assert.Contains("It does not answer", await refused.Within(30));
            if (round == 0)
            {
                // The limit of whoever moves it counts, too.
                var late = await Assert.ThrowsAsync<CannotMoveException>(() => waiting.MoveToAsync("b", Limits.Seconds(0.25)).Within(30));
                Assert.Contains("node b did not take it. It does not answer", late.Message);
                Assert.True(late.IsLate);
            }
            b.Continue();
        }
        foreach (var (file, process) in shuttles)
        {
            process.Raise("end", true);
            Assert.Contains(await process.Completion.Within(30), (string[])["a", "b"]);
            Assert.Equal(Enumerable.Range(1, Steps(file).Length), Steps(file));
        }
    }

    static int[] Steps(string file) =>
        File.Exists(file) ? [.. File.ReadAllLines(file).Select(static line => int.Parse(line, System.Globalization.CultureInfo.InvariantCulture))] : [];

    [Fact]
    public async Task Two_nodes_of_one_name_are_refused_and_a_name_that_is_no_file_too()
    {
        await Join("one");
        var refused = await Assert.ThrowsAsync<IOException>(() => ClusterNode.StartAsync("one", new() { Folder = _folder }).Within());
        Assert.Contains("A node named one runs already", refused.Message);
        await Assert.ThrowsAsync<ArgumentException>(() => ClusterNode.StartAsync("../one", new() { Folder = _folder }));
    }
}
