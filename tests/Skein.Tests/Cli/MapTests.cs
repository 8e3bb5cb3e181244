using System.Globalization;

namespace Skein.Tests.Cli;

/// <summary><c>skein map -- PROGRAM</c>: each input once, outputs whole and in the order of the inputs, no shell in between.</summary>
public sealed class MapTests
{
    [Fact]
    public async Task Outputs_are_whole_and_in_the_order_of_the_inputs_though_later_jobs_end_first()
    {
        var ended = await SkeinCommand.RunAsync("map", "--jobs", "3", "--", "sh", "-c", "echo begin $0; sleep $0; echo end $0", ":::", "0.6", "0.3", "0");
        Assert.Equal("begin 0.6\nend 0.6\nbegin 0.3\nend 0.3\nbegin 0\nend 0\n", ended.Output);
        Assert.Equal((0, ""), (ended.Code, ended.Error));
    }

    [Fact]
    public async Task Unordered_outputs_come_as_their_jobs_end()
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["map", "--jobs", "3", "--unordered", "--", "sh", "-c", $"while test $0 != c && ! test -e {folder.Path}/$0; do sleep 0.05; done; echo $0", ":::", "a", "b", "c"]);
        await Limits.Until(() => started.Output == "c\n", "the output of the third job");
        folder.Write("b", "");
        await Limits.Until(() => started.Output == "c\nb\n", "that of the second");
        folder.Write("a", "");
        Assert.Equal(["c", "b", "a"], (await started.EndAsync()).Lines);
    }

    [Theory]
    [InlineData("/a/b.c.d", "b.c.d", "/a/b.c", "/a", "b.c")]
    [InlineData("x/y.", "y.", "x/y", "x", "y")]
    [InlineData(".hidden", ".hidden", "", ".", "")]
    [InlineData("a/.b", ".b", "a/", "a", "")]
    [InlineData("/a/", "", "/a/", "/", "")]
    [InlineData("x y.z", "x y.z", "x y", ".", "x y")]
    [InlineData("plain", "plain", "plain", ".", "plain")]
    [InlineData("a//b", "b", "a//b", "a", "b")]
    [InlineData("/", "", "/", "/", "")]
    public async Task Replacement_strings_mean_what_they_mean_in_GNU_parallel(string input, string name, string stem, string folder, string nameStem)
    {
        // The expected values are what GNU parallel 20221122 prints.
        var ended = await SkeinCommand.RunAsync("map", "--", "printf", "%s\\n", "[{}]", "{/}", "{.}", "{//}", "{/.}", "{#}", ":::", input);
        Assert.Equal($"[{input}]\n{name}\n{stem}\n{folder}\n{nameStem}\n1\n", ended.Output);
    }

    [Fact]
    public async Task Without_a_replacement_string_the_input_is_appended_and_braces_of_others_stay()
    {
        var ended = await SkeinCommand.RunAsync("map", "--", "echo", "{print}", "{", ":::", "a", "b");
        Assert.Equal("{print} { a\n{print} { b\n", ended.Output);
    }

    [Fact]
    public async Task A_closed_standard_input_has_no_inputs()
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c", $"dotnet {SkeinCommand.Dll} map -- echo <&-");
        Assert.Equal((0, "", ""), (ended.Code, ended.Output, ended.Error));
    }

    [Fact]
    public async Task On_a_terminal_it_says_that_it_reads_inputs_from_there()
    {
        using var started = SkeinCommand.StartProgram(
            "script", ["--quiet", "--return", "--command", $"dotnet {SkeinCommand.Dll} map -- echo got", "/dev/null"], new Dictionary<string, string> { ["TERM"] = "dumb" });
        await Limits.Until(() => started.Output.Contains("reading inputs from the terminal", StringComparison.Ordinal), "the word about it");
        await started.Process.StandardInput.WriteAsync("one\n\u0004");
        var ended = await started.EndAsync();
        Assert.Equal(0, ended.Code);
        Assert.Contains("got one\r\n", ended.Output);
    }

    [Fact]
    public async Task Standard_input_that_does_not_wait_is_read_to_its_end()
    {
        // Python makes the pipe non-blocking for both, as any program may that shares it.
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c",
            $"(sleep 0.3; echo a; sleep 0.3; echo b) | (python3 -c 'import os; os.set_blocking(0, False)'; dotnet {SkeinCommand.Dll} map -- echo)");
        Assert.Equal((0, "a\nb\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task No_shell_reads_an_input()
    {
        string[] inputs = ["$(id)", "a; echo b", "`id`", "a  b", "'\"", "*", "-n", ""];
        var ended = await SkeinCommand.RunAsync(["map", "--", "printf", "<%s>\\n", "{}", ":::", .. inputs]);
        Assert.Equal(string.Concat(inputs.Select(input => $"<{input}>\n")), ended.Output);
    }

    [Fact]
    public async Task Inputs_are_the_lines_of_standard_input_where_none_are_given()
    {
        var lines = Enumerable.Range(1, 1000).Select(i => $"line {i} ä").ToList();
        var ended = await SkeinCommand.RunAsync(string.Join('\n', lines), ["map", "--", "echo"]);
        Assert.Equal(lines, ended.Lines);
        Assert.Equal(0, (await SkeinCommand.RunAsync("", ["map", "--", "false"])).Code);
    }

    [Fact]
    public async Task A_program_reads_nothing_of_the_inputs()
    {
        var ended = await SkeinCommand.RunAsync("a\nb\n", ["map", "--", "sh", "-c", "echo $0; cat"]);
        Assert.Equal("a\nb\n", ended.Output);
    }

    [Fact]
    public async Task Input_that_never_ends_is_read_only_as_far_as_it_is_worked_on()
    {
        var dll = SkeinCommand.Dll;
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c", $"yes | dotnet {dll} map -- echo | head -n 3; echo ${{PIPESTATUS[1]}}");
        Assert.Equal("y\ny\ny\n141\n", ended.Output);
    }

    [Fact]
    public async Task Bytes_pass_unchanged_and_each_stream_to_its_own()
    {
        using var folder = new ScratchFolder();
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c",
            $"dotnet {SkeinCommand.Dll} map -- sh -c 'head -c 300000 /dev/urandom | tee $0' ::: {folder["bytes"]} > {folder["output"]}; cmp {folder["bytes"]} {folder["output"]} && wc -c < {folder["output"]}");
        Assert.Equal("300000\n", ended.Output);
        var both = await SkeinCommand.RunAsync("map", "--", "sh", "-c", "echo out; echo err >&2", ":::", "a");
        Assert.Equal((0, "out\n", "err\n"), (both.Code, both.Output, both.Error));
    }

    [Fact]
    public async Task A_large_output_that_waits_for_its_turn_is_whole()
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c",
            $"dotnet {SkeinCommand.Dll} map --jobs 3 -- sh -c 'test $0 = 1 && sleep 1; seq -f \"$0 %.0f\" 1000000' ::: 1 2 3 | md5sum; (for i in 1 2 3; do seq -f \"$i %.0f\" 1000000; done) | md5sum");
        var sums = ended.Lines;
        Assert.Equal(2, sums.Length);
        Assert.Equal(sums[1], sums[0]);
    }

    [Fact]
    public async Task A_full_temporary_folder_is_said_and_nothing_is_cut_silently()
    {
        using var folder = new ScratchFolder();
        var mounted = await SkeinCommand.RunProgramAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path);
        if (mounted.Code != 0)
            Assert.Skip($"needs a file system of its own: {mounted.Error}");
        try
        {
            var ended = await SkeinCommand.RunAsync("", ["map", "--", "head", "-c", "5000000", ":::", "/dev/zero"], new Dictionary<string, string> { ["TMPDIR"] = folder.Path });
            Assert.Equal(75, ended.Code);
            Assert.Contains($"temporary folder {folder.Path}", ended.Error);
            Assert.Empty(ended.Output);
        }
        finally
        {
            await SkeinCommand.RunProgramAsync("umount", folder.Path);
        }
    }

    [Fact]
    public async Task An_input_that_is_not_text_is_refused_by_its_line()
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c", $"printf 'a\\n\\xff\\n' | dotnet {SkeinCommand.Dll} map -- echo");
        Assert.Equal(64, ended.Code);
        Assert.Contains("line 2 of standard input is not UTF-8", ended.Error);
    }

    [Fact]
    public async Task Tags_begin_each_line()
    {
        var ended = await SkeinCommand.RunAsync("map", "--tag", "--", "sh", "-c", "echo 1; printf 2; echo e >&2", ":::", "a", "b c");
        Assert.Equal("a\t1\na\t2b c\t1\nb c\t2", ended.Output);
        Assert.Equal("a\te\nb c\te\n", ended.Error);
    }

    [Fact]
    public async Task A_dry_run_prints_what_a_shell_could_run()
    {
        using var folder = new ScratchFolder();
        var ended = await SkeinCommand.RunAsync("map", "--dry-run", "--", "touch", folder["{#} {/}"], ":::", "a'b", "/x/y");
        Assert.Equal($"touch '{folder.Path}/1 a'\"'\"'b'\ntouch '{folder.Path}/2 y'\n", ended.Output);
        Assert.Empty(Directory.GetFiles(folder.Path));
        Assert.Equal(0, (await SkeinCommand.RunProgramAsync("sh", "-c", ended.Output)).Code);
        Assert.Equal([folder["1 a'b"], folder["2 y"]], Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task No_more_jobs_run_at_once_than_asked_for()
    {
        using var folder = new ScratchFolder();
        var script = folder.Write("job", "touch {0}/$$.run; ls {0} | grep -c run; sleep 0.05; rm {0}/$$.run".Replace("{0}", folder.Path));
        var ended = await SkeinCommand.RunAsync(["map", "--jobs", "3", "--", "sh", script, "{}", ":::", .. Enumerable.Range(0, 30).Select(i => $"{i}")]);
        var counts = ended.Lines.Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(30, counts.Count);
        Assert.Equal(3, counts.Max());
    }
}
