using System.Text.RegularExpressions;

namespace Skein.Tests.Samples;

/// <summary>The samples of processes and places print what is so.</summary>
public partial class PlaceSampleTests
{
    [Fact]
    public async Task Hello_comes_from_this_process_as_a_thread_and_from_another_as_an_OS_process()
    {
        var lines = (await Sample.RunAsync("hello", "Ada")).Lines;
        var own = Number(lines[0], @"This program is process (\d+)\.");
        Assert.Equal(own, Number(lines[1], @"Thread +Hello, Ada, from thread \d+ of process (\d+)\."));
        Assert.NotEqual(own, Number(lines[2], @"OsProcess +Hello, Ada, from thread \d+ of process (\d+)\."));
    }

    [Fact]
    public async Task The_counter_loses_an_update_without_a_lock_and_is_shared_only_where_that_was_asked_for()
    {
        var values = (await Sample.RunAsync("counter")).Lines.Select(line => line[(line.LastIndexOf(": ", StringComparison.Ordinal) + 2)..].Trim());
        Assert.Equal(["1", "2", "1 and 1, and here 0", "1", "200000"], values);
    }

    [Fact]
    public async Task A_crash_takes_the_threads_beside_it_and_no_other_OS_process()
    {
        var ended = await Sample.RunAsync("crash");
        Assert.Equal(
            ["The other: lost, signal 6", "The one: lost, signal 6", "The other: finished its work", "This program: goes on."],
            ended.Lines.Select(line => Spaces().Replace(line[Math.Max(0, line.IndexOf("The o", StringComparison.Ordinal))..], " ")));
        Assert.Equal("", ended.Error);
    }

    [Fact]
    public async Task Threads_share_the_variables_of_their_OS_process_and_of_no_other()
    {
        var rows = (await Sample.RunAsync("threads-in-processes")).Lines[1..]
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        var views = rows[..6];
        Assert.Equal(["1", "1", "1", "2", "2", "2"], views.Select(row => row[0]));
        Assert.Equal(["1", "2", "3", "1", "2", "3"], views.Select(row => row[1]));
        foreach (var process in views.Chunk(3))
            Assert.Equal(["1", "2", "3"], process.Select(row => row[2]).Order());   // each of its threads found what the others had left
        Assert.All(views, row => Assert.Equal(["1", "1"], row[3..]));
        Assert.Equal(["here", "0", "0"], rows[6]);
    }

    static int Number(string line, string pattern)
    {
        Assert.Matches(pattern, line);
        return int.Parse(Regex.Match(line, pattern).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(" +")] private static partial Regex Spaces();
}
