namespace Skein.Tests.Cli;

/// <summary>What is wrong with a command line is said with the option's name and what it takes, and ends with code 64; a missing file with 66.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--memory takes a size such as 64M, 1.5G or 4096 (bytes); 'lots' is none.", "map", "--memory", "lots", "--", "true")]
    [InlineData("--memory takes a size such as 64M, 1.5G or 4096 (bytes); '0' is none.", "run", "--memory", "0", "--", "true")]
    [InlineData("--memory needs a value: a size such as 64M, 1.5G or 4096 (bytes).", "run", "--memory")]
    [InlineData("--timeout takes a time such as 500ms, 1s, 1.5m, 2h, 5d or 10 (seconds), at most 49d; 'soon' is none.", "map", "--timeout", "soon", "--", "true")]
    [InlineData("--timeout takes a time such as 500ms, 1s, 1.5m, 2h, 5d or 10 (seconds), at most 49d; '0s' is none.", "map", "--timeout", "0s", "--", "true")]
    [InlineData("2h, 5d or 10 (seconds), at most 49d; '99999999h' is none.", "run", "--timeout", "99999999h", "--", "true")]
    [InlineData("2h, 5d or 10 (seconds), at most 49d; 'NaN' is none.", "run", "--timeout", "NaN", "--", "true")]
    [InlineData("2h, 5d or 10 (seconds), at most 49d; '-Infinity' is none.", "map", "--grace=-Infinity", "--", "true")]
    [InlineData("--grace takes a time", "run", "--grace", "1x", "--", "true")]
    [InlineData("--jobs takes a whole number from 1 to 100,000; '0' is none.", "map", "--jobs", "0", "--", "true")]
    [InlineData("--jobs takes a whole number from 1 to 100,000; '2147483647' is none.", "map", "--jobs", "2147483647", "--", "true")]
    [InlineData("--retry takes a whole number from 0; '-1' is none.", "map", "--retry=-1", "--", "true")]
    [InlineData("--place takes process or thread; 'moon' is none.", "map", "--place", "moon", "--", "true")]
    [InlineData("--place thread takes C#", "map", "--place", "thread", "--", "true")]
    [InlineData("--halt takes never, or soon,fail=N or now,fail=N with N from 1; 'later' is none.", "map", "--halt", "later", "--", "true")]
    [InlineData("--halt takes never, or soon,fail=N or now,fail=N with N from 1; 'now,fail=0' is none.", "map", "--halt", "now,fail=0", "--", "true")]
    [InlineData("--joblog needs a value: the log's file name.", "map", "--joblog", "--", "true")]
    [InlineData("--resume needs --joblog FILE", "map", "--resume", "--", "true")]
    [InlineData("--keep-going and --halt contradict each other", "map", "--keep-going", "--halt", "now,fail=1", "--", "true")]
    [InlineData("there is no command 'bogus'; skein --help says which there are.", "bogus")]
    [InlineData("map has no option --memry;", "map", "--memry", "64M", "--", "true")]
    [InlineData("run has no option --jobs;", "run", "--jobs", "2", "--", "true")]
    [InlineData("map needs something to run: FILE.cs, APP.dll, or -- PROGRAM ARGS…", "map")]
    [InlineData("run needs something to run: FILE.cs, APP.dll, or -- PROGRAM ARGS…", "run", "--")]
    [InlineData("'convert' is neither", "run", "convert")]
    [InlineData("serve needs an application: APP.dll, a project or its folder, or FILE.cs.", "serve")]
    [InlineData("scale takes a whole number from 1; 'x' is none.", "scale", "shop", "x")]
    [InlineData("::: stands once", "map", "--", "true", ":::", "a", ":::", "b")]
    [InlineData("--function takes a function of a C# file", "map", "--function", "Render", "--", "true")]
    [InlineData("completion takes bash, zsh or fish; 'cmd' is none.", "completion", "cmd")]
    [InlineData("skein run, skein map, skein serve")]
    public async Task Bad_input_is_answered_with_what_is_wanted_and_code_64(string message, params string[] words)
    {
        var ended = await SkeinCommand.RunAsync(words);
        Assert.Equal(64, ended.Code);
        Assert.StartsWith("skein: ", ended.Error);
        Assert.Contains(message, ended.Error);
        Assert.Empty(ended.Output);
    }

    [Theory]
    [InlineData("run", "nowhere.cs")]
    [InlineData("run", "nowhere.dll")]
    [InlineData("map", "nowhere.cs", "--function", "Render", ":::", "a")]
    public async Task A_missing_file_is_named_and_ends_with_code_66(params string[] words)
    {
        var ended = await SkeinCommand.RunAsync(words);
        Assert.Equal(66, ended.Code);
        Assert.Contains($"there is no file '{words[1]}'", ended.Error);
    }

    [Fact]
    public async Task Options_may_stand_on_both_sides_of_the_file_and_all_after_the_dashes_is_the_programs()
    {
        foreach (var words in (string[][])[["run", "--memory", "9x", "nowhere.cs"], ["run", "nowhere.cs", "--memory", "9x"], ["run", "nowhere.cs", "--memory", "9x", "--", "a"]])
            Assert.Contains("--memory takes a size", (await SkeinCommand.RunAsync(words)).Error);
        var echo = await SkeinCommand.RunAsync("run", "--", "echo", "--memory", "x", "--", "--help", ":::", "@file");
        Assert.Equal("--memory x -- --help ::: @file\n", echo.Output);
    }

    [Fact]
    public async Task Help_says_what_there_is_and_how_inputs_become_arguments()
    {
        var root = await SkeinCommand.RunAsync("--help");
        Assert.Equal(0, root.Code);
        foreach (var word in (string[])["run", "map", "completion", "124 time-out", "137 out of memory"])
            Assert.Contains(word, root.Output);
        var run = await SkeinCommand.RunAsync("run", "--help");
        Assert.Contains("Usage:\n  skein run [options] FILE.cs|APP.dll [-- ARGS…]\n  skein run [options] -- PROGRAM [ARGS…]\n  skein run -n NODE [-d] FILE.cs|APP.dll [--function NAME] [-- ARGS…]\n\n", run.Output);
        var map = await SkeinCommand.RunAsync("map", "--help");
        Assert.Contains("Usage:\n  skein map [options] -- PROGRAM [ARGS…] [::: INPUTS…]\n  skein map [options] FILE.cs|APP.dll --function NAME [::: INPUTS…]\n\n", map.Output);
        Assert.DoesNotContain("skein-cli", root.Output + run.Output + map.Output);
        foreach (var word in (string[])["--memory <SIZE>", "--timeout <TIME>", "--halt", "--resume", "{/.}", "separated by tabs", "A last array takes all remaining"])
            Assert.Contains(word, map.Output);
    }

    [Fact]
    public async Task The_version_is_that_of_the_library()
    {
        var version = typeof(Place).Assembly.GetName().Version!;
        var ended = await SkeinCommand.RunAsync("--version");
        Assert.Equal(0, ended.Code);
        Assert.StartsWith($"{version.Major}.{version.Minor}.{version.Build}", ended.Output);
    }
}
