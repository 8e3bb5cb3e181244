using System.Runtime.Versioning;
using System.Text.Json;
using Skein.Tests.Child;
using Skein.Tests.Cli;

namespace Skein.Tests.Cluster;

/// <summary><c>skein node</c>, and the commands for what runs at nodes, as a person would use them.</summary>
[SupportedOSPlatform("linux")]
public sealed class NodeCommandTests(CommandNodes nodes) : IClassFixture<CommandNodes>
{
    static readonly string Functions = typeof(NodeCase).Assembly.Location;

    static System.Reflection.MethodInfo Function(string name) => typeof(NodeCase).GetMethod(name)!;

    static bool Runs(int pid) => Directory.Exists($"/proc/{pid}");

    [Fact]
    public async Task A_mobile_function_is_started_listed_looked_at_followed_moved_and_killed_by_commands()
    {
        var id = (await nodes.SucceedAsync("run", Functions, "--function", "NodeCase.Echo", "-n", "a", "-d", "--", "hello you")).TrimEnd();
        using var listed = JsonDocument.Parse(await nodes.SucceedAsync("ps", "--json"));
        var all = listed.RootElement.EnumerateArray().ToArray();
        var process = Assert.Single(all, one => one.GetProperty("id").GetString() == id);
        Assert.Equal(("mobile", "NodeCase.Echo", "a"), (Text(process, "kind"), Text(process, "name"), Text(process, "node")));
        Assert.Contains(Text(process, "state"), (string[])["waiting", "running"]);
        Assert.Equal(await nodes.PidAsync("a"), process.GetProperty("pid").GetInt32());
        Assert.Subset(all.Where(static one => Text(one, "kind") == "node").Select(static one => Text(one, "node")).ToHashSet(), (HashSet<string>)["a", "b"]);
        Assert.Contains("greeting = \"hello you\"", await nodes.SucceedAsync("inspect", id));

        var attached = nodes.Start("attach", id);
        attached.Process.StandardInput.WriteLine("one");
        await Limits.Until(() => attached.Output.Contains("one at a\n", StringComparison.Ordinal), () => attached.Output + attached.Error);
        await nodes.SucceedAsync("move", id, "b");
        attached.Process.StandardInput.WriteLine("two");
        await Limits.Until(() => attached.Output.Contains("two at b\n", StringComparison.Ordinal), () => attached.Output + attached.Error);
        attached.Process.StandardInput.WriteLine("end");
        var ended = await attached.EndAsync();
        Assert.Equal((0, "hello you\none at a\ntwo at b\nend at b\nbye\n"), (ended.Code, ended.Output));
        var lines = (await nodes.SucceedAsync("logs", id)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([$"{id} | hello you", $"{id} | one at a", $"{id} | two at b", $"{id} | end at b"], lines[..4].Select(static line => line[(line.IndexOf(' ') + 1)..]));
        Assert.Contains($"{id} | has ended: 3", string.Join('\n', lines));

        var deaf = await nodes.At("b").StartDetachedAsync(Function(nameof(NodeCase.Stay)), ["b"]).Within(30);
        Assert.Equal(69, (await nodes.RunAsync("move", deaf, "nowhere")).Code);
        await nodes.SucceedAsync("kill", deaf);
        Assert.Empty(await nodes.ProcessesAsync("b", deaf));

        // What a program starts takes its code along, to nodes that have never met the program.
        await using var visit = await nodes.At("a").StartAsync(NodeCase.Visit, new[] { "b", "a" }).Within(30);
        Assert.Equal("a b a", await visit.Completion.Within(30));

        static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;
    }

    [Fact]
    public async Task A_function_or_a_whole_file_runs_at_a_node_as_it_would_here()
    {
        Assert.Equal("a a a\n", await nodes.SucceedAsync("run", Functions, "--function", "NodeCase.Visit", "-n", "a", "--", "a", "a"));
        var whole = await nodes.RunAsync("run", Functions, "-n", "a", "--", "echo", "x y", "z");
        Assert.Equal((3, "x y|z\n", "to standard error\n"), (whole.Code, whole.Output, whole.Error));
        var id = (await nodes.SucceedAsync("run", Functions, "-n", "a", "-d", "--", "sleep")).TrimEnd();
        var program = Assert.Single(await nodes.ProcessesAsync("a", id));
        Assert.Equal("program", program.GetProperty("kind").GetString());
        Assert.True(Runs(program.GetProperty("pid").GetInt32()));
        await nodes.SucceedAsync("kill", id, "--now");
        Assert.False(Runs(program.GetProperty("pid").GetInt32()));
    }

    [Fact]
    public async Task A_script_tells_by_the_code_of_attach_whether_a_process_has_ended_failed_was_killed_or_is_lost()
    {
        Assert.SkipUnless(Limits.Long, "another node is started for it, and killed: ./check --long");

        // Those that somebody waits for have their end in the log, too.
        await using var failing = await nodes.At("a").StartAsync(NodeCase.FailAfter, "b").Within(30);
        await using var killed = await nodes.At("a").StartAsync(NodeCase.Stay, "b").Within(30);
        await nodes.StartNodeAsync("g");
        await using var lost = await nodes.At("a").StartAsync(NodeCase.LeaveFileAt, "g", nodes.Folder["at-g"]).Within(30);
        await using var born = await nodes.At("g").StartAsync(NodeCase.LeaveFileAt, "g", nodes.Folder["born-at-g"]).Within(30);
        await using var abroad = await nodes.At("g").StartAsync(NodeCase.LeaveFileAt, "b", nodes.Folder["abroad"]).Within(30);
        await Limits.Until(() => ((string[])["at-g", "born-at-g", "abroad"]).All(name => File.Exists(nodes.Folder[name])), "all are where they are to be", 30);
        Process<string>[] all = [failing, killed, lost, born];
        var attached = all.Select(process => nodes.Start("attach", process.Id)).ToArray();
        attached[0].Process.StandardInput.WriteLine("fail");
        await failing.Exited.Within(30);
        await nodes.SucceedAsync("kill", killed.Id);
        System.Diagnostics.Process.GetProcessById(await nodes.PidAsync("g")).Kill();

        var ended = await Task.WhenAll(attached.Select(static command => command.EndAsync()));
        Assert.Equal([70, 137, 69, 69], ended.Select(static one => one.Code));
        Assert.All(ended, static one => Assert.Equal("", one.Output));
        Assert.Contains("NodeCase.FailAfter", ended[0].Error);
        Assert.Contains($"process {failing.Id} has failed: System.InvalidOperationException: on purpose", ended[0].Error);
        Assert.Contains($"process {killed.Id} was killed.", ended[1].Error);
        Assert.All(ended[2..], static one => Assert.Contains("was at node g", one.Error));

        // Who has started it there hears of it no more, and where to ask.
        var unheard = (await Assert.ThrowsAsync<ProcessLostException>(() => abroad.Completion.Within(30))).Message;
        Assert.Contains("node g, where it was started, has ended", unheard);
        Assert.Contains($"skein attach {abroad.Id}", unheard);
        Assert.DoesNotContain("guest/", unheard);
        await nodes.SucceedAsync("kill", abroad.Id);
    }

    [Fact]
    public async Task A_node_that_cannot_be_is_refused_before_it_is_ready()
    {
        await Task.WhenAll(
            Refuses(69, "is no ordinary file", "h", "--store", "/dev/full"),
            Refuses(69, "that is a folder", "h", "--store", "/"),
            Refuses(69, "there is no folder /nowhere", "h", "--store", "/nowhere/store"),
            Refuses(64, "and the system takes 107", new('h', 110)));

        async Task Refuses(int code, string message, string name, params string[] options)
        {
            var refused = await nodes.RunAsync(["node", "start", "--name", name, .. options]);
            Assert.Equal((code, ""), (refused.Code, refused.Output));
            Assert.Contains(message, refused.Error);
            Assert.DoesNotContain("Parameter", refused.Error);
        }
    }

    [Fact]
    public async Task A_home_that_cannot_be_used_is_an_error_of_the_configuration()
    {
        await Task.WhenAll(
            Refuses("/proc/nope", "nothing can be made in /proc", "node", "start", "--name", "h"),
            Refuses("/proc/nope", "nothing can be made in /proc", "run", Functions, "--function", "NodeCase.Fail", "-n", "a"),
            Refuses("/etc/passwd", "/etc/passwd is a file", "ps"));

        async Task Refuses(string home, string message, params string[] words)
        {
            var refused = await SkeinCommand.RunAsync("", words, new Dictionary<string, string> { ["SKEIN_HOME"] = home });
            Assert.Equal((78, ""), (refused.Code, refused.Output));
            Assert.Contains(message, refused.Error);
            Assert.Contains("Set SKEIN_HOME", refused.Error);
        }
    }

    [Fact]
    public async Task A_function_that_fails_shows_where_and_a_program_hears_Ctrl_C_and_is_heard_to_its_end()
    {
        Assert.SkipUnless(Limits.Long, "more commands are started for it: ./check --long");
        var thrown = await nodes.RunAsync("run", Functions, "--function", "NodeCase.Fail", "-n", "a");
        Assert.Equal(70, thrown.Code);
        Assert.Contains("NodeCase.Fail()", thrown.Error);
        Assert.DoesNotContain("Skein.Cli.", thrown.Error);

        // A failure of the store has no frame of the function.
        var store = FileStore.Open(nodes.Folder["closed.store"]);
        await using (await ClusterNode.StartAsync("s", new() { Folder = nodes.Nodes, Store = store, Code = CodePolicy.OwnUser }, TestContext.Current.CancellationToken))
        {
            await store.DisposeAsync();
            var unstored = await nodes.RunAsync("run", Functions, "--function", "NodeCase.Stored", "-n", "s", "--", nodes.Folder["unstored"]);
            Assert.Equal(70, unstored.Code);
            Assert.StartsWith("skein: Mobile process s.", unstored.Error);
            Assert.DoesNotContain(" --->", unstored.Error);
            Assert.DoesNotContain("   at ", unstored.Error);
        }

        var run = nodes.Start("run", Functions, "-n", "a", "--", "last-words");
        await Limits.Until(() => run.Output == "begun\n", () => run.Error, 30);
        await run.SignalAsync("INT");
        var ended = await run.EndAsync();
        Assert.Equal((130, "begun\nlast words\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task A_detached_node_goes_on_after_it_was_killed_with_what_had_stored_itself()
    {
        string[] start = ["node", "start", "--name", "d", "-d", "--store", nodes.Folder["d.store"]];
        Assert.Equal("ready d\n", await nodes.SucceedAsync(start));
        var second = await nodes.RunAsync(start);
        Assert.Equal(69, second.Code);
        Assert.Contains(nodes.Folder["d.store"], second.Error);

        // The node has its code of somebody who is not asked again.
        var file = nodes.Folder["resumptions"];
        var id = await nodes.At("d").StartDetachedAsync(Function(nameof(NodeCase.Stored)), [file]).Within(30);
        await Resumes("Continued");
        var pid = await nodes.PidAsync("d");
        System.Diagnostics.Process.GetProcessById(pid).Kill();
        await Limits.Until(() => !Runs(pid), "its end");
        Assert.Equal("ready d\n", await nodes.SucceedAsync(start));
        await Resumes("Continued", "Restored");

        // So does an image, at any node.
        var image = nodes.Folder["image"];
        await nodes.SucceedAsync("checkpoint", id, image);
        await nodes.SucceedAsync("kill", id);
        Assert.Equal($"{id}\n", await nodes.SucceedAsync("restore", image, "-n", "d"));
        Assert.Equal("NodeCase.Stored", Assert.Single(await nodes.ProcessesAsync("d", id)).GetProperty("name").GetString());
        await nodes.SucceedAsync("kill", id);

        // Its end moves away what can be moved, and names what cannot.
        var moved = await nodes.At("d").StartDetachedAsync(Function(nameof(NodeCase.Stay)), ["d"]).Within(30);
        Assert.True((await nodes.AskAsync("d", "run", "/", "detached", "nap", "sleep", "300")).IsDone);
        pid = await nodes.PidAsync("d");
        var killed = await nodes.RunAsync("kill", "d");
        Assert.Contains("nap is a program, which cannot move", killed.Error);
        await Limits.Until(() => !Runs(pid), "its end");
        var there = (await nodes.ProcessesAsync("a", moved)).Concat(await nodes.ProcessesAsync("b", moved));
        Assert.Contains(there, static one => one.GetProperty("state").GetString() is "waiting" or "running");

        Task Resumes(params string[] how) => Limits.Until(
            () => File.Exists(file) && File.ReadAllLines(file).SequenceEqual(how), () => $"{string.Join(' ', how)}: {(File.Exists(file) ? File.ReadAllText(file) : "")}", 30);
    }

    [Fact]
    public async Task A_node_of_another_machine_joins_by_a_token_and_one_takes_the_code_that_it_is_told_to()
    {
        Assert.SkipUnless(Limits.Long, "two more nodes are started for it: ./check --long");
        var e = await nodes.StartNodeAsync("e", "--listen", "127.0.0.1:0", "--code", "none");
        var token = (await nodes.SucceedAsync("node", "token", "e")).TrimEnd();
        using var elsewhere = new ScratchFolder();   // another machine has another home
        using var f = SkeinCommand.Start(["node", "start", "--name", "f", "--join", token], new Dictionary<string, string> { ["SKEIN_HOME"] = elsewhere.Path });
        await Limits.Until(() => f.Output == "ready f\n" || f.Process.HasExited, () => f.Error, 30);
        var peers = "";
        await Limits.Until(() => (peers = Asked.Async(elsewhere["nodes"], "f", "ps").GetAwaiter().GetResult().Data.Single().GetProperty("peers").ToString()) == "[\"e\"]", () => peers, 30);
        Assert.Contains("is not on the list", (await Assert.ThrowsAsync<PlaceException>(() => nodes.At("e").StartDetachedAsync(Function(nameof(NodeCase.Stay)), ["e"]))).Message);
        foreach (var node in (Started[])[f, e])
        {
            await node.SignalAsync("TERM");
            Assert.Equal((0, ""), await node.EndAsync() is var ended ? (ended.Code, ended.Error) : default);
        }
    }

    [Fact]
    public async Task A_node_that_stands_still_keeps_no_command_and_does_nothing_of_it_later()
    {
        Assert.SkipUnless(Limits.Long, "a node is started and stopped for it: ./check --long");
        var s = await nodes.StartNodeAsync("s");
        var image = nodes.Folder["image of s"];
        var id = (await nodes.SucceedAsync("run", Functions, "--function", "NodeCase.Stay", "-n", "a", "-d", "--", "a")).TrimEnd();
        await nodes.SucceedAsync("checkpoint", id, image);
        await nodes.SucceedAsync("kill", id);
        await s.SignalAsync("STOP");
        string[][] commands =
        [
            ["run", Functions, "--function", "NodeCase.Stay", "-n", "s", "-d", "--", "s"], ["run", Functions, "-n", "s", "-d", "--", "sleep"],
            ["restore", image, "-n", "s"], ["node", "drain", "s"], ["node", "token", "s"],
        ];
        Assert.All(await Task.WhenAll(commands.Select(words => nodes.RunAsync(words))), static ended => Assert.Equal((75, "skein: s has not answered for 3.0 s: is it stopped, or the machine too busy?\n"), (ended.Code, ended.Error)));
        await s.SignalAsync("CONT");
        var node = Assert.Single((await nodes.AskAsync("s", "ps")).Data);
        Assert.Equal(("serving", 0), (node.GetProperty("state").GetString(), node.GetProperty("processes").GetArrayLength()));
        await s.SignalAsync("TERM");
        Assert.Equal(0, (await s.EndAsync()).Code);
    }

    [Theory]
    [InlineData("node takes an action", "node", "fly")]
    [InlineData("needs a name", "node", "start")]
    [InlineData("--code takes own, any, none", "node", "start", "--name", "x", "--code", "12")]
    [InlineData("--detach is for nodes", "run", "x.cs", "-d")]
    public async Task What_is_wrong_with_the_command_line_is_said(string message, params string[] words)
    {
        var ended = await nodes.RunAsync(words);
        Assert.Equal(64, ended.Code);
        Assert.Contains(message, ended.Error);
    }
}
