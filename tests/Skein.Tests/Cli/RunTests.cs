namespace Skein.Tests.Cli;

/// <summary><c>skein run</c> stays the parent of what it runs: it hands on streams and signals, holds it to its limits, and ends as it ends.</summary>
public sealed class RunTests
{
    [Theory]
    [InlineData(0, "exit 0")]
    [InlineData(3, "exit 3")]
    [InlineData(137, "kill -9 $$")]
    [InlineData(143, "kill $$")]
    public async Task It_ends_as_the_program_ends(int code, string script) =>
        Assert.Equal(code, (await SkeinCommand.RunAsync("run", "--", "sh", "-c", script)).Code);

    [Fact]
    public async Task Streams_are_those_of_the_caller()
    {
        var ended = await SkeinCommand.RunAsync("one\ntwo\n", ["run", "--", "sh", "-c", "tee /dev/stderr | tr a-z A-Z"]);
        Assert.Equal((0, "ONE\nTWO\n", "one\ntwo\n"), (ended.Code, ended.Output, ended.Error));
    }

    [Fact]
    public async Task Closed_streams_are_empty_input_and_output_that_nobody_sees()
    {
        var input = await SkeinCommand.RunProgramAsync("bash", "-c", $"dotnet {SkeinCommand.Dll} run -- sh -c 'cat; readlink /proc/self/fd/0' <&-");
        Assert.Equal((0, "/dev/null\n", ""), (input.Code, input.Output, input.Error));
        var output = await SkeinCommand.RunProgramAsync("bash", "-c", $"dotnet {SkeinCommand.Dll} run -- readlink /proc/self/fd/1 >&-");
        Assert.Equal((0, "", ""), (output.Code, output.Output, output.Error));
    }

    [Fact]
    public async Task A_program_finds_the_name_by_which_it_was_called() =>
        Assert.Equal("sh\n", (await SkeinCommand.RunAsync("run", "--", "sh", "-c", "echo $0")).Output);

    [Fact]
    public async Task Json_keeps_what_need_not_be_escaped() =>
        Assert.Contains("""
            {"command":"echo 'it'\"'\"'s' '<ä>'","cause":"exited"
            """, (await SkeinCommand.RunAsync("run", "--json", "--", "echo", "it's", "<ä>")).Error);

    [Fact]
    public async Task What_takes_too_long_is_stopped_and_ends_with_124()
    {
        var ended = await SkeinCommand.RunAsync("run", "--timeout", "2s", "--", "sh", "-c", "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done");
        Assert.Equal((124, "asked\n"), (ended.Code, ended.Output));
        Assert.Contains("sh took longer than --timeout", ended.Error);
    }

    [Fact]
    public async Task What_needs_too_much_memory_is_killed_and_ends_with_137()
    {
        var ended = await SkeinCommand.RunAsync("run", "--memory", "64M", "--", "tail", "/dev/zero");
        Assert.Equal(137, ended.Code);
        Assert.Contains("tail needed more memory than --memory 64M", ended.Error);
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    [InlineData("USR1", 138)]
    public async Task Signals_are_handed_on(string signal, int code)
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["run", "--", "sh", "-c", $"trap 'echo got {signal}; trap - {signal}; kill -{signal} $$' {signal}; echo ready > {folder["ready"]}; while :; do sleep 0.05; done"]);
        await Limits.Until(() => File.Exists(folder["ready"]), "the program's start");
        await started.SignalAsync(signal);
        var ended = await started.EndAsync();
        Assert.Equal((code, $"got {signal}\n"), (ended.Code, ended.Output));
    }

    [Theory]
    [InlineData("run -- cat <(echo given)")]
    [InlineData("map -- cat ::: <(echo given)")]
    [InlineData("map -- sh -c 'cat <&3' ::: a 3<<<given")]
    public async Task What_the_caller_has_opened_is_open_for_the_program(string words)
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", $"dotnet {SkeinCommand.Dll} {words}");
        Assert.Equal((0, "given\n", ""), (ended.Code, ended.Output, ended.Error));
    }

    [Theory]
    [InlineData(1, "run -- ls -mw0 /proc/self/fd")]
    [InlineData(3, "map --jobs 3 -- sh -c 'ls -mw0 /proc/self/fd' ::: a b c")]
    public async Task Nothing_of_the_commands_own_is_open_for_the_program(int programs, string words)
    {
        // The first look is the caller's own. Each has one more open: the folder that it looks into.
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", $"exec 7</dev/null; ls -mw0 /proc/self/fd; dotnet {SkeinCommand.Dll} {words}");
        Assert.Contains("7", ended.Lines[0].Split(", "));
        Assert.Equal(Enumerable.Repeat(ended.Lines[0], 1 + programs), ended.Lines);
    }

    [Fact]
    public async Task Nothing_is_said_of_a_program_whose_reader_has_gone_or_that_Ctrl_C_has_ended()
    {
        var unread = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", $"dotnet {SkeinCommand.Dll} run -- yes | head -n 1; echo ${{PIPESTATUS[0]}}");
        Assert.Equal(("y\n141\n", ""), (unread.Output, unread.Error));
        var interrupted = await SkeinCommand.RunAsync("run", "--", "sh", "-c", "kill -INT $$");
        Assert.Equal((130, "", ""), (interrupted.Code, interrupted.Output, interrupted.Error));
    }

    [Theory]
    [InlineData("run -- cat $'f\\xff'")]
    [InlineData("map -- cat ::: $'f\\xff'")]
    [InlineData("run -- cat $'f\\xff' <&-")]
    public async Task A_word_that_is_no_text_is_refused_and_no_other_file_is_taken_for_it(string words)
    {
        using var folder = new ScratchFolder();
        var script = $"cd {folder.Path}; echo right >$'f\\xff'; echo wrong >$'f\\xef\\xbf\\xbd'; dotnet {SkeinCommand.Dll} {words}; code=$?; dotnet {SkeinCommand.Dll} run -- cat $'f\\xef\\xbf\\xbd'; rm f*; exit $code";
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", script);
        Assert.Equal((64, "wrong\n"), (ended.Code, ended.Output));   // that one has the name that was given
        Assert.Contains("would name another file", ended.Error);
    }

    [Fact]
    public async Task A_help_that_cannot_be_written_is_said()
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", $"dotnet {SkeinCommand.Dll} run --help >/dev/full");
        Assert.NotEqual(0, ended.Code);
        Assert.DoesNotContain("report it", ended.Error);
        Assert.Contains("No space left", ended.Error);
    }

    [Fact]
    public async Task The_program_does_not_outlive_a_command_that_is_killed()
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["run", "--", "sh", "-c", $"echo $$ > {folder["id"]}; exec sleep 60"]);
        await Limits.Until(() => File.Exists(folder["id"]) && new FileInfo(folder["id"]).Length > 0, "the program's start");
        await started.SignalAsync("KILL");
        var id = File.ReadAllText(folder["id"]).Trim();
        await Limits.Until(() => !Directory.Exists($"/proc/{id}"), "the program's end");
    }

    [Fact]
    public async Task A_program_that_is_missing_ends_with_127_and_one_that_is_none_with_126()
    {
        var missing = await SkeinCommand.RunAsync("run", "--", "no-such-program");
        Assert.Equal(127, missing.Code);
        Assert.Contains("no-such-program", missing.Error);
        Assert.Equal(126, (await SkeinCommand.RunAsync("run", "--", "/etc/passwd")).Code);
    }
}
