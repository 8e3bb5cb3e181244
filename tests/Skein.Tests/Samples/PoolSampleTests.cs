using System.Globalization;
using System.Text.RegularExpressions;

namespace Skein.Tests.Samples;

/// <summary>The samples of pools print what is so.</summary>
public partial class PoolSampleTests
{
    [Fact]
    public async Task Results_come_in_order_or_each_when_it_is_ready()
    {
        var lines = (await Sample.RunAsync("results")).Lines;
        Assert.Equal(("In order:", "As they come:"), (lines[0], lines[5]));
        Assert.Equal(["input 0: worked 900 ms", "input 1: worked 100 ms", "input 2: worked 600 ms", "input 3: worked 300 ms"], lines[1..5].Select(Result));
        Assert.Equal(lines[1..5].Select(Result).Order(), lines[6..].Select(Result).Order());
        Assert.True(After(lines[1]) >= 890, "in order, the first holds up the others");
        Assert.DoesNotContain("input 0:", lines[6], StringComparison.Ordinal);
        Assert.True(After(lines[6]) < After(lines[^1]), "as they come, the first is there before the last");
    }

    [Fact]
    public async Task A_page_that_hangs_or_leaks_or_crashes_costs_one_page()
    {
        var ended = await Sample.RunAsync("pages");
        var bad = new Dictionary<int, string>
        {
            [3] = "no page, it took too long",
            [5] = "no page, it took too much memory",
            [7] = "no page, its process crashed with signal 6",
        };
        Assert.Equal(
            Enumerable.Range(1, 9).Select(page => $"page {page}: {bad.GetValueOrDefault(page, $"the numbers from {page}000 to {page}999 make {1_000_000 * page + 499_500}")}"),
            ended.Lines);
        Assert.Equal("", ended.Error);
    }

    static string Result(string line) => line[line.IndexOf("input", StringComparison.Ordinal)..];

    static int After(string line) => int.Parse(Time().Match(line).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"after +(\d+) ms")] private static partial Regex Time();
}
