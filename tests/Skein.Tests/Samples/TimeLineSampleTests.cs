using System.Globalization;
using System.Text.RegularExpressions;
using Skein.Tests.Cli;

namespace Skein.Tests.Samples;

/// <summary>The same work in threads, in processes and over the network: the sample's time line and table are what happened.</summary>
public partial class TimeLineSampleTests
{
    static readonly string[] Places = ["thread", "OS process", "network"];

    const int Below = 30_000, Milliseconds = 500;

    static readonly Lazy<Task<Ended>> Printed = new(() => Sample.RunAsync("places", $"{Below}", $"{Milliseconds}"));   // for both tests

    [Fact]
    public async Task The_calculators_find_the_same_in_every_place_and_the_time_line_shows_when()
    {
        var lines = (await Printed.Value).Lines;
        var runs = lines.Select(line => Run().Match(line)).Where(match => match.Success).Select(Parse).ToArray();
        Assert.Equal(2 * 2 * 3 * 3, runs.Length);   // works, orders, places, calculators

        var series = runs.Chunk(3).ToArray();
        for (var i = 0; i < series.Length; i++)
        {
            var (computing, together, place) = (i < 6, i / 3 % 2 == 1, i % 3);
            Assert.All(series[i], run => Assert.Equal(place, Array.IndexOf(Places, run.Place)));
            Assert.All(series[i], run => Assert.Equal(computing ? PrimesBySieve(Below) : Milliseconds, run.Result));
            Assert.All(series[i], run => Assert.Equal(run.From <= run.To, run.Bar.Contains('=')));
            if (!together)
                Assert.All(series[i].Zip(series[i].Skip(1)), pair => Assert.True(pair.First.To <= pair.Second.From + 1, string.Join('\n', lines)));
            else if (!computing && place != 1)   // OS processes may take longer to be made than they wait
                Assert.True(series[i].Order().ElementAt(1).From < series[i].Min(run => run.To), string.Join('\n', lines));
        }
    }

    [Fact]
    public async Task The_table_says_what_each_place_took()
    {
        var lines = (await Printed.Value).Lines;
        var table = lines.Select(line => Row().Match(line)).Where(match => match.Success)
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Captures.Select(cell => double.Parse(cell.Value, CultureInfo.InvariantCulture)).ToArray());
        Assert.Equal(
            ["computing, at the same time", "computing, one after the other", "creation of one", "memory of one", "waiting, at the same time", "waiting, one after the other"],
            table.Keys.Order());
        Assert.All(table["waiting, one after the other"], time => Assert.True(time >= 3 * Milliseconds));
        Assert.All(table["waiting, at the same time"], time => Assert.True(time >= Milliseconds));
        Assert.True(table["creation of one"] is [var thread, var process, _] && thread < process, "a process costs more to make than a thread");
        Assert.True(table["memory of one"] is [var small, var large, _] && small < large && large > 1, "a process is larger than a thread");
    }

    static int PrimesBySieve(int below)
    {
        var composite = new bool[below];
        var primes = 0;
        for (var number = 2; number < below; number++)
        {
            if (composite[number])
                continue;
            primes++;
            for (var multiple = 2 * number; multiple < below; multiple += number)
                composite[multiple] = true;
        }

        return primes;
    }

    static (int From, int To, string Place, string Bar, int Result) Parse(Match run) =>
        (Number(run, 3), Number(run, 4), run.Groups[1].Value.Trim(), run.Groups[2].Value, Number(run, 5));

    static int Number(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^  (.{10}) \|(.{51})\| +(\d+) to +(\d+) ms: (\d+)$")] private static partial Regex Run();
    [GeneratedRegex(@"^(\S.*?\S)(?: {2,}(-?[\d.]+) (?:ms|MB)){3}$")] private static partial Regex Row();
}
