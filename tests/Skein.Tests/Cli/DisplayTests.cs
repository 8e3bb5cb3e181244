namespace Skein.Tests.Cli;

/// <summary>The live picture is for a terminal only; colour is there only, and never against NO_COLOR.</summary>
public sealed class DisplayTests
{
    const string Colour = "\e[32m";

    [Fact]
    public async Task On_a_terminal_a_picture_shows_what_runs_and_is_gone_at_the_end()
    {
        var screen = await OnTerminalAsync("");
        Assert.Contains("━", screen);
        Assert.Contains("2/3", screen);
        Assert.Contains("  waiting", screen);
        Assert.Contains(Colour, screen);
        Assert.Equal("done-waiting", screen[(screen.LastIndexOf("\e[J", StringComparison.Ordinal) + 3)..].Trim());
        Assert.DoesNotContain("\e[?", screen);
    }

    [Fact]
    public async Task The_picture_does_not_take_output_with_it_that_does_not_end_its_line()
    {
        var screen = await OnTerminalAsync("", "printf");
        Assert.Contains("done-waiting\r\n", screen);
        Assert.DoesNotMatch("done-waiting[^d\r]", screen);
    }

    [Fact]
    public async Task The_picture_stands_just_below_an_output()
    {
        var screen = await OnTerminalAsync("");
        Assert.Matches("[12]/3", screen[screen.IndexOf("done-waiting", StringComparison.Ordinal)..]);
        Assert.DoesNotContain("done-waiting\r\n\r\n", screen);
    }

    [Fact]
    public async Task With_NO_COLOR_the_picture_has_no_colour()
    {
        var screen = await OnTerminalAsync("NO_COLOR=1 ");
        Assert.Contains("━", screen);
        Assert.DoesNotContain(Colour, screen);
        Assert.DoesNotContain("\e[31m", screen);
    }

    [Fact]
    public async Task Without_a_terminal_there_are_plain_lines_if_any()
    {
        var ended = await SkeinCommand.RunAsync("map", "--eta", "--", "sh", "-c", "sleep 1.6; echo $0", ":::", "a", "b", "c");
        Assert.Equal("a\nb\nc\n", ended.Output);
        Assert.DoesNotContain('\e', ended.Error);
        Assert.Contains("skein: 0 of 3 done, 0 failed, 0/s", ended.Error);
        Assert.Matches(@"skein: [12] of 3 done, 0 failed, .* left\n", ended.Error);
    }

    /// <summary>All that a terminal gets to show a map that takes a second, as script(1) records it.</summary>
    static async Task<string> OnTerminalAsync(string environment, string print = "echo")
    {
        var command = $"stty cols 90 rows 20; unset NO_COLOR; {environment}TERM=xterm dotnet {SkeinCommand.Dll} map --jobs 2 -- sh -c \"sleep \\$1; {print} done-\\$0\" {{}} {{#}} ::: waiting waiting waiting";
        var ended = await SkeinCommand.RunProgramAsync("script", "--quiet", "--return", "--command", command, "/dev/null");
        Assert.Equal(0, ended.Code);
        return ended.Output;
    }
}
