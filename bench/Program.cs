using System.Globalization;
using Skein.Bench;
using Skein.Bench.Experiments;
using Skein.Bench.Mobility;
using Skein.Bench.Servers;

const string Usage = """
    Usage: dotnet run -c Release --project bench -- [NAME…] [--rounds N] [--quick] [--json FILE]

      NAME        an experiment; without one all of them
      --rounds N  how often each contender is measured (at least 5, which is the default)
      --quick     a tenth of the work, for a look: nothing is written to RESULTS.md
      --json FILE the results as JSON ("-": standard output)

    Experiments:
    """;

if (args is [BenchApplication.Argument, .. var words])
    return await BenchApplication.RunAsync(words);
if (OperatingSystem.IsLinux() && args is [NodeProgram.Argument, .. var node])
    return await NodeProgram.RunAsync(node);
if (args is [Echo.Argument, .. var echo])
    return await Echo.RunAsync(echo);
if (args is [FirstResult.Argument])
    return await FirstResult.RunAsync();
if (args is [FirstResult.SpareArgument])
    return await FirstResult.RunSpareAsync();
if (args is [MobileParked.Argument, var count])
    return await MobileParked.RunAsync(int.Parse(count, CultureInfo.InvariantCulture));

string[] names = [];
var rounds = 5;
var quick = false;
string? json = null;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--rounds" when i + 1 < args.Length && int.TryParse(args[i + 1], out rounds) && rounds >= 5: i++; break;
        case "--quick": quick = true; break;
        case "--json" when i + 1 < args.Length: json = args[++i]; break;
        case var name when !name.StartsWith('-') && Catalog.Names.Contains(name): names = [.. names, name]; break;
        default:
            await Console.Error.WriteLineAsync($"{args[i]}: not understood.\n\n{Usage}\n  {string.Join("\n  ", Catalog.Names)}");
            return 64;
    }
}

var chosen = Catalog.All(new Scale(quick ? 10 : 1)).Where(experiment => names.Length == 0 || names.Contains(experiment.Name));
var runner = new Runner(rounds, Console.Error);
List<Result> results = [];
foreach (var experiment in chosen)
{
    var result = await runner.RunAsync(experiment);
    results.Add(result);
    var foreign = result.Figures.Max(figure => figure.Foreign);
    await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
        $"{Report.Aligned(result.Rows)}\nload average {result.Load}; others used up to {foreign ?? 0:0.00} processors{(quick ? "; a quick run, not for quoting" : "")}\n"));
}

if (json == "-")
    await Console.Out.WriteLineAsync(Store.ToJson(results));
else if (json is not null)
    await File.WriteAllTextAsync(json, Store.ToJson(results));
if (!quick)
    await Store.KeepAsync(results, Catalog.Names);
return results.SelectMany(result => result.Figures).Any(figure => figure.Remark?.StartsWith("failed", StringComparison.Ordinal) == true) ? 1 : 0;
