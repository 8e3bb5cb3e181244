using System.Runtime.Versioning;
using System.Text.Json;
using Skein.Tests.Child;
using Skein.Tests.Cli;

namespace Skein.Tests.Cluster;

/// <summary><c>skein node</c>, and the commands for what runs at nodes, as a person would use them.</summary>
[SupportedOSPlatform("linux")]
public sealed class NodeCommandTests : IAsyncDisposable
{
    static readonly string Functions = typeof(NodeCase).Assembly.Location;

    readonly ScratchFolder _folder = new();
    readonly List<Started> _commands = [];
    ClusterNode? _here;

    Dictionary<string, string> Home => new() { ["SKEIN_HOME"] = _folder.Path };

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _commands)
            command.Dispose();
        if (_here is not null)
            await _here.DisposeAsync();
        _folder.Dispose();
    }

    async Task<Started> Start(string name, params string[] options)
    {
        var command = SkeinCommand.Start(["node", "start", "--name", name, .. options], Home);
        _commands.Add(command);
        await Limits.Until(() => command.Output.StartsWith($"ready {name}\n", StringComparison.Ordinal) || command.Process.HasExited, () => $"{name}: {command.Error}", 30);
        Assert.Equal($"ready {name}\n", command.Output);
        return command;
    }

    Task<Ended> Skein(params string[] words) => SkeinCommand.RunAsync("", words, Home);

    async Task<string> Succeed(params string[] words)
    {
        var ended = await Skein(words);
        Assert.True(ended.Code == 0, $"{string.Join(' ', words)}: {ended.Code} {ended.Error}");
        return ended.Output;
    }

    async Task<JsonElement[]> List()
    {
        using var json = JsonDocument.Parse(await Succeed("ps", "--json"));
        return [.. json.RootElement.EnumerateArray().Select(static one => one.Clone())];
    }

    async Task<MobileNode> Join() =>
        (_here = await ClusterNode.StartAsync("here", new() { Folder = Path.Combine(_folder.Path, "nodes"), Code = CodePolicy.AnyPeer }).Within()).Node;

    [Fact]
    public async Task A_mobile_function_is_started_listed_looked_at_followed_moved_and_killed_by_commands()
    {
        var nodes = await Task.WhenAll(Start("a"), Start("b"));
        var id = (await Succeed("run", Functions, "--function", "NodeCase.Echo", "-n", "a", "-d", "--", "hello you")).TrimEnd();
        var all = await List();
        var process = Assert.Single(all, one => one.GetProperty("id").GetString() == id);
        Assert.Equal(("mobile", "NodeCase.Echo", "a", nodes[0].Process.Id), (process.GetProperty("kind").GetString(), process.GetProperty("name").GetString(), process.GetProperty("node").GetString(), process.GetProperty("pid").GetInt32()));
        Assert.Equal(["a", "b"], all.Where(static one => one.GetProperty("kind").GetString() == "node").Select(static one => one.GetProperty("node").GetString()));
        Assert.Contains("greeting = \"hello you\"", await Succeed("inspect", id));

        using var attached = SkeinCommand.Start(["attach", id], Home);
        attached.Process.StandardInput.WriteLine("one");
        await Limits.Until(() => attached.Output.Contains("one at a\n", StringComparison.Ordinal), () => attached.Output + attached.Error);
        await Succeed("move", id, "b");
        attached.Process.StandardInput.WriteLine("two");
        await Limits.Until(() => attached.Output.Contains("two at b\n", StringComparison.Ordinal), () => attached.Output + attached.Error);
        attached.Process.StandardInput.WriteLine("end");
        Assert.Equal((0, "hello you\none at a\ntwo at b\nend at b\n"), await attached.EndAsync() is var ended ? (ended.Code, ended.Output) : default);
        Assert.Contains($"{id} | has ended: 3", await Succeed("logs", "a"));

        Assert.Equal(69, (await Skein("move", id, "a")).Code);
        var deaf = (await Succeed("run", Functions, "--function", "NodeCase.Stay", "-n", "b", "-d", "--", "b")).TrimEnd();
        Assert.Equal(69, (await Skein("move", deaf, "nowhere")).Code);
        await Succeed("kill", deaf);
        Assert.DoesNotContain(await List(), static one => one.GetProperty("kind").GetString() == "mobile");
    }

    [Fact]
    public async Task A_function_or_a_whole_file_runs_at_a_node_as_it_would_here()
    {
        await Start("a");
        Assert.Equal("a a a\n", await Succeed("run", Functions, "--function", "NodeCase.Visit", "-n", "a", "--", "a", "a"));
        var wrong = await Skein("run", Functions, "--function", "NodeCase.Visit", "-n", "b", "--", "a");
        Assert.Equal(69, wrong.Code);
        Assert.Contains("No node named b runs", wrong.Error);
        var thrown = await Skein("run", Functions, "--function", "NodeCase.Fail", "-n", "a");
        Assert.Equal(70, thrown.Code);
        Assert.Contains("in NodeCase.Fail", thrown.Error.Replace("Skein.Tests.Child.", "", StringComparison.Ordinal).Replace("at NodeCase.Fail", "in NodeCase.Fail", StringComparison.Ordinal));
        Assert.Equal(64, (await Skein("run", Functions, "--function", "NodeCase.Visit", "--", "a")).Code);

        var whole = await Skein("run", Functions, "-n", "a", "--", "echo", "x y", "z");
        Assert.Equal((3, "x y|z\n", "to standard error\n"), (whole.Code, whole.Output, whole.Error));
        var id = (await Succeed("run", Functions, "-n", "a", "-d", "--", "sleep")).TrimEnd();
        var program = Assert.Single(await List(), one => one.GetProperty("id").GetString() == id);
        Assert.Equal("program", program.GetProperty("kind").GetString());
        Assert.True(Directory.Exists($"/proc/{program.GetProperty("pid").GetInt32()}"));
        await Succeed("kill", id, "--now");
        Assert.False(Directory.Exists($"/proc/{program.GetProperty("pid").GetInt32()}"));
    }

    [Fact]
    public async Task A_detached_node_outlives_the_command_and_ends_when_it_is_killed()
    {
        Assert.Equal("ready a\n", await Succeed("node", "start", "--name", "a", "-d"));
        var node = Assert.Single(await List());
        var second = await Skein("node", "start", "--name", "a", "-d");
        Assert.Equal(69, second.Code);
        Assert.Contains("runs already", second.Error);
        await Succeed("kill", "a");
        await Limits.Until(() => !Directory.Exists($"/proc/{node.GetProperty("pid").GetInt32()}"), "its end");
        Assert.Empty(await List());
    }

    [Fact]
    public async Task It_takes_code_that_it_has_never_seen_of_its_own_user_unless_it_is_told_not_to()
    {
        await Task.WhenAll(Start("open"), Start("closed", "--code", "none"));
        var here = await Join();
        Assert.Equal("at open", await here.Start(static () => NodeCase.Try("open")).Completion.Within(30));
        var refused = await here.Start(static () => NodeCase.Try("closed")).Completion.Within(30);
        Assert.StartsWith("at here: ", refused);
        Assert.Contains("is not on the list", refused);
        Assert.Equal(69, (await Skein("run", Functions, "--function", "NodeCase.Stay", "-n", "closed", "-d", "--", "x")).Code);
    }

    [Fact]
    public async Task When_it_is_asked_to_end_what_runs_there_is_moved_away()
    {
        var command = await Start("a");
        var here = await Join();
        var processes = Enumerable.Range(0, 20).Select(_ => here.Start(static () => NodeCase.Stay("a"))).ToArray();
        await Limits.Until(
            () => Array.TrueForAll(processes, static process => process.Node == "a" || process.Completion.IsCompleted),
            () => $"all to be there: {string.Join(", ", processes.Select(static process => $"{process.Node} {process.Completion.Exception}"))}", 30);
        Assert.All(processes, static process => Assert.False(process.Completion.IsCompleted, $"{process.Completion.Exception}"));
        await command.SignalAsync("TERM");
        Assert.Equal(0, (await command.EndAsync()).Code);
        foreach (var process in processes)
            process.Raise("end", true);
        Assert.All(await Task.WhenAll(processes.Select(static process => process.Completion)).Within(), static end => Assert.Equal("here", end));
    }

    [Fact]
    public async Task A_node_of_another_machine_joins_by_a_token()
    {
        await Start("a", "--listen", "127.0.0.1:0");
        var token = (await Succeed("node", "token")).TrimEnd();
        using var elsewhere = new ScratchFolder();   // another machine has another home
        using var b = SkeinCommand.Start(["node", "start", "--name", "b", "--join", token], new Dictionary<string, string> { ["SKEIN_HOME"] = elsewhere.Path });
        await Limits.Until(() => b.Output == "ready b\n" || b.Process.HasExited, () => b.Error, 30);
        await Limits.Until(() => List().GetAwaiter().GetResult().Single().GetProperty("peers").GetArrayLength() == 1, "the connection", 30);
        await b.SignalAsync("TERM");
        Assert.Equal(0, (await b.EndAsync()).Code);
        var again = await SkeinCommand.RunAsync("", ["node", "start", "--name", "c", "--join", token], new Dictionary<string, string> { ["SKEIN_HOME"] = elsewhere.Path });
        Assert.Equal(69, again.Code);
    }

    [Theory]
    [InlineData("node takes an action", "node")]
    [InlineData("node takes an action", "node", "fly")]
    [InlineData("needs a name", "node", "start")]
    [InlineData("--code takes own, any, none", "node", "start", "--name", "a", "--code", "some")]
    [InlineData("cannot be named", "node", "start", "--name", "a/b")]
    [InlineData("--detach is for nodes", "run", "x.cs", "-d")]
    public async Task What_is_wrong_with_the_command_line_is_said(string message, params string[] words)
    {
        var ended = await Skein(words);
        Assert.Equal(64, ended.Code);
        Assert.Contains(message, ended.Error);
    }
}
