using System.Globalization;
using System.Text.RegularExpressions;

namespace Skein.Tests.Samples;

/// <summary>The samples of servers and their clients print what is so.</summary>
public partial class ServerSampleTests
{
    [Fact]
    public async Task A_page_comes_sooner_when_its_parts_are_fetched_in_parallel_and_keys_are_answered_meanwhile()
    {
        using var sample = await Sample.StartAsync("browse", 0, []);
        await sample.Process.StandardInput.WriteAsync("xyz");
        sample.Process.StandardInput.Close();
        var ended = await sample.EndAsync(60);
        Assert.Equal((0, ""), (ended.Code, ended.Error));
        var lines = ended.Lines;
        var bars = lines.Select(line => Bar().Match(line)).Where(match => match.Success)
            .Select(match => (Part: match.Groups[1].Value, From: Number(match, 3), To: Number(match, 4))).ToArray();
        Assert.Equal(24, bars.Length);
        foreach (var page in bars.Chunk(12))
            Assert.Equal(Enumerable.Range(0, 12).Select(number => $"part {number}"), page.Select(bar => bar.Part.Trim()));
        Assert.All(bars, bar => Assert.True(bar.To - bar.From >= 95, "each part takes a while"));
        Assert.All(bars[12..].Zip(bars[13..]), pair => Assert.True(pair.First.To <= pair.Second.From + 1, "one after the other"));
        Assert.True(bars[..12].Max(bar => bar.To) < bars[12..].Max(bar => bar.To), "in parallel it takes less");
        Assert.Contains(bars[..12], bar => bars[..12].Count(other => other.From <= bar.From && bar.From < other.To) > 1);
        foreach (var key in "xyz")
            Assert.Contains(lines, line => line.StartsWith($"key '{key}': ", StringComparison.Ordinal));
        Assert.Contains("24 parts of 24 came, with one replica of 3 killed.", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_client_of_the_slow_page_waits_as_its_model_says()
    {
        Assert.SkipUnless(Limits.Long, "nine servers are started for it: ./check --long");
        const int Page = 500;
        var rows = (await Sample.RunAsync("slow-page", $"{Page}")).Lines[1..].Select(line => Row().Match(line))
            .ToDictionary(match => match.Groups[1].Value.Trim(), match => (First: Number(match, 2), Second: Number(match, 3)));
        Assert.Equal(9, rows.Count);
        Assert.All(rows.Values, row => Assert.True(row.First >= Page - 5, "the page takes its time"));
        foreach (var alone in new[] { "Iterative, HTTP", "Iterative, streams", "EventLoop, streams" })
            Assert.True(rows[alone].Second >= 2 * Page - 5, $"{alone}: the second waits for both, not {rows[alone].Second} ms");
        foreach (var together in new[] { "Threaded, HTTP", "Threaded, streams", "Dispatcher(4, 16), HTTP", "Dispatcher(4, 16), streams", "Prefork(2), HTTP" })
            Assert.True(rows[together].Second - rows[together].First < Page - 5, $"{together}: the second does not wait for the first");
    }

    [Fact]
    public async Task Of_a_session_nothing_is_left_after_a_kill_of_durable_and_permanent_state_all()
    {
        var lines = (await Sample.RunAsync("state")).Lines;
        var rows = lines.Where(line => line.Contains("sent: ", StringComparison.Ordinal))
            .Select(line => (Kind: line[..9].Trim(), Answer: line[10..50].Trim(), Sent: line[(line.IndexOf("sent: ", StringComparison.Ordinal) + 6)..])).ToArray();
        Assert.Equal(
            [
                ("stateless", "27", "10 + 5 | 15 * 2 | 30 - 3"),
                ("session", "27", "begin 10 | ID + 5 | ID * 2 | ID - 3"),
                ("durable", "27", "begin 10 | ID + 5 | ID * 2 | ID - 3"),
                ("permanent", "27", "begin 10 | ID + 5 | ID * 2 | ID - 3"),
                ("stateless", "27", "27 + 0"),
                ("session", "The session has ended: start again.", "ID + 0"),
                ("durable", "27", "ID + 0"),
                ("permanent", "27", "ID + 0"),
            ],
            rows);
    }

    static int Number(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^  (.{8}) \|(.{51})\| +(\d+) to +(\d+) ms$")] private static partial Regex Bar();
    [GeneratedRegex(@"^(.{28}) *(\d+) ms *(\d+) ms$")] private static partial Regex Row();
}
