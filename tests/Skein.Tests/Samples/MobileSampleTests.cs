using System.Globalization;
using System.Text.RegularExpressions;
using Skein.Tests.Cli;
using Skein.Tests.Structure;

namespace Skein.Tests.Samples;

/// <summary>The samples of mobile functions print what is so.</summary>
public partial class MobileSampleTests
{
    [Fact]
    public async Task Agents_add_up_the_ledgers_of_three_nodes_one_after_the_other_and_at_the_same_time()
    {
        var lines = (await Sample.RunAsync("agents")).Lines;
        var ledgers = "abc".Select(node => 55L * node).ToArray();
        Assert.Equal($"one agent, node after node:    {ledgers.Sum()}", lines[0]);
        Assert.Equal($"three agents at the same time: {string.Join(" + ", ledgers)}", lines[1]);
        var visits = lines[2..].Select(line => Visit().Match(line)).ToArray();
        Assert.Equal("1a2b3c", string.Concat(visits.Select(visit => visit.Groups[1].Value + visit.Groups[2].Value)));
        Assert.Equal(3, visits.Select(visit => visit.Groups[3].Value).Distinct().Count());   // each node is an operating-system process
        Assert.Equal(ledgers, visits.Select(visit => Number(visit, 4)));
    }

    [Fact]
    public async Task A_model_that_is_trained_where_the_data_are_is_the_same_as_one_trained_in_one_place()
    {
        const int Rounds = 300;
        var lines = (await Sample.RunAsync("federated", Repository.At("samples/data/iris.csv"), $"{Rounds}")).Lines;
        var nodes = lines[1..4].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        Assert.Equal(["a", "b", "c"], nodes.Select(node => node[0]));
        Assert.Equal(["50", "50", "50"], nodes.Select(node => node[1]));
        // Fifteen numbers of eight bytes a round, in a frame which says too that the weights have come; and no more than that, but for coming and ending.
        Assert.All(nodes, node => Assert.InRange(double.Parse(node[2], CultureInfo.InvariantCulture) / Rounds, 15 * 8, 15 * 8 + 150));
        var difference = double.Parse(lines[4].Split(' ')[^1], CultureInfo.InvariantCulture);
        Assert.InRange(difference, 0, 1e-9);
        Assert.InRange(Number(Told().Match(lines[5]), 1), 140, 150);
    }

    [Fact]
    public async Task A_computation_survives_the_kills_of_its_node_and_does_at_most_one_slice_again_for_each()
    {
        var lines = (await Sample.RunAsync("survivor", "20000", "2")).Lines;
        Assert.Equal(2, lines.Count(line => line.EndsWith("its node ended by signal 9", StringComparison.Ordinal)));
        var result = Counted().Match(lines[^1]);
        var primes = Enumerable.Range(2, 19_998).Count(number => Enumerable.Range(2, (int)Math.Sqrt(number)).TakeWhile(divisor => divisor * divisor <= number).All(divisor => number % divisor != 0));
        Assert.Equal(primes, Number(result, 1));
        Assert.InRange(Number(result, 2), 0, 2);
    }

    [Fact]
    public async Task Effects_of_an_order_are_applied_once_although_its_node_is_killed_before_it_knows_of_them()
    {
        var lines = (await (Limits.Long ? Sample.RunAsync("order", "all") : Sample.RunAsync("order"))).Lines;
        var killed = lines.TakeWhile(line => line.StartsWith("killed after", StringComparison.Ordinal)).Select(line => line.Split('\'')[1]).ToArray();
        Assert.Equal(Limits.Long ? 6 : 2, killed.Length);
        lines = lines[killed.Length..];
        Assert.Equal(
            [
                "tea: delivered", "coffee: too late, and undone",
                "tea: 9 of 10 left, 450 cents paid", "coffee: 10 of 10 left, 0 cents paid",
            ],
            lines[..4]);
        var effects = lines[4..].Select(line => Effect().Match(line)).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal(["charge coffee", "charge tea", "refund coffee", "return coffee", "take coffee", "take tea"], effects.Keys.Order());
        Assert.All(killed, effect => Assert.True(int.Parse(effects[effect], CultureInfo.InvariantCulture) >= 2, $"{effect} was not asked for again"));
    }

    [Fact]
    public async Task A_form_is_checked_at_a_client_that_has_none_of_its_code_and_takes_only_what_it_was_told_to()
    {
        using var folder = new ScratchFolder();
        foreach (var file in Directory.GetFiles(Sample.Folder).Where(file => Path.GetFileName(file) is var name && (name.StartsWith("form-client.", StringComparison.Ordinal) || !IsSample(name))))
            File.Copy(file, folder[Path.GetFileName(file)]);
        var environment = new Dictionary<string, string> { ["SKEIN_HOME"] = folder["home"] };

        string hash;
        using (var closed = await Sample.StartAsync("form-client", 1, [], environment, folder.Path))
        {
            using var refused = await Sample.StartAsync("form", 1, [], environment);
            hash = Hash().Match((await refused.EndAsync()).Output).Value;
            Assert.Equal(64, hash.Length);
        }

        using var client = await Sample.StartAsync("form-client", 1, [hash], environment, folder.Path);
        using var office = await Sample.StartAsync("form", 0, [], environment);
        foreach (var answer in new[] { " ", "Ada", "1815-13-10", "1815-12-10", "ada", "ada@example.org" })
            await client.Process.StandardInput.WriteLineAsync(answer);
        var ended = await office.EndAsync();
        Assert.True(ended is { Code: 0, Error: "" }, $"{ended.Code}: {ended.Output}{ended.Error}");
        Assert.Equal("Ada, born 1815-12-10, ada@example.org", ended.Lines[0]);
        Assert.Equal($"3 mistakes were made and mended at node client, process {client.Process.Id}; this is process {office.Process.Id}.", ended.Lines[1]);
        await Limits.Until(() => client.Output.Contains("That is no address.", StringComparison.Ordinal), () => client.Output);
    }

    [Fact]
    public async Task A_chat_server_is_replaced_three_times_and_no_client_notices()
    {
        var lines = (await Sample.RunAsync("chat")).Lines;
        var processes = lines[..4].Select(line => Served().Match(line)).ToArray();
        Assert.Equal("1234", string.Concat(processes.Select(match => match.Groups[1].Value)));
        Assert.Equal(4, processes.Select(match => match.Groups[2].Value).Distinct().Count());
        Assert.Matches(Heard(), lines[4]);
    }

    static bool IsSample(string name) => File.Exists(Repository.At($"samples/{name.Split('.')[0]}.cs"));

    static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^hop (\d): node (\w), process (\d+), 10 entries, (\d+)$")] private static partial Regex Visit();
    [GeneratedRegex(@"(\d+) of 150$")] private static partial Regex Told();
    [GeneratedRegex(@"^(\d+) primes below 20000: 40 slices, (\d+) of them counted again after 2 kills$")] private static partial Regex Counted();
    [GeneratedRegex(@"^effect (\w+ \w+) +applied once, asked for (\d+)x$")] private static partial Regex Effect();
    [GeneratedRegex(@"^release (\d) serves in process (\d+)(, and process \d+ ends)?$")] private static partial Regex Served();
    [GeneratedRegex(@"^5 clients, one connection each: \d+ messages, each heard by all once and in order; 0 complaints$")] private static partial Regex Heard();
    [GeneratedRegex(@"[0-9A-F]{64}")] private static partial Regex Hash();
}
