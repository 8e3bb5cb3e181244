using System.Globalization;
using System.Text;

namespace Skein.Bench;

/// <summary>Results as text: for the terminal, for RESULTS.md, and for the marked block of the README.</summary>
static class Report
{
    const string Start = "<!-- bench: begin -->", End = "<!-- bench: end -->";

    /// <summary>Columns: work, ours, peer, ratio, target, met; "*" marks a figure that others disturbed.</summary>
    public static string Table(IEnumerable<Row> rows)
    {
        var text = new StringBuilder("| work | Skein | peer | ratio | target | met |\n|---|---|---|---|---|---|\n");
        foreach (var row in rows)
        {
            var ratio = row.Ratio is { } times && double.IsFinite(times) ? string.Create(CultureInfo.InvariantCulture, $"{times:0.##}×") : "–";
            var met = row.Met switch { true => "yes", false => "**no**", null => "–" };
            text.Append(CultureInfo.InvariantCulture, $"| {row.Work} | {Value(row.Ours, row.Unit)} | {(row.Peer is { } peer ? Value(peer, row.Unit) : "–")} | {ratio} | {row.Target ?? "–"} | {met} |\n");
        }

        return text.ToString();
    }

    /// <summary>The same for a terminal, its columns in line.</summary>
    public static string Aligned(IEnumerable<Row> rows)
    {
        var lines = Table(rows).Replace("**", "", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("|--", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]).ToArray();
        var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        return string.Join('\n', lines.Select(line => string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    /// <summary>All there is to know about all runs.</summary>
    public static string Page(IReadOnlyList<Result> results)
    {
        var text = new StringBuilder("""
            # What was measured

            Written by `dotnet run -c Release --project bench`; the source of each experiment says exactly what is done. Figures are medians, with the
            range of the rounds in brackets; contenders took turns on the same machine, and only the ratios are meant to last: those of single calls
            need a processor that is free to look for the answer, and shrink on a busy machine. A ratio is of one run of its experiment; each section
            names the date and the commit of its run, which may be another's, with "+" where files differed from that commit. Everything with two workers, checked payloads and default
            options, unless the settings say otherwise. "\*": others used more than a quarter of a processor meanwhile ("–": the span was too short to
            tell).


            """);
        text.Append(CultureInfo.InvariantCulture, $"## targets\n\n{Verdict(results)}\n\n{Table(WithTarget(results))}\n");
        foreach (var result in results)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {result.Name}\n\n{result.Date}, commit {result.Commit}, {result.Rounds} rounds, load average before it {result.Load}. {result.Machine}.\n\n");
            text.Append(Table(result.Rows)).Append("\n| contender | median | range | used by others | settings |\n|---|---|---|---|---|\n");
            foreach (var figure in result.Figures)
            {
                var unit = result.Rows[0].Unit;
                var range = figure.Median is null ? "–" : $"{unit.Print(figure.Lowest)} … {unit.Print(figure.Highest)}";
                var settings = figure.Version is null ? figure.Settings : $"{figure.Settings}; {figure.Version}";
                text.Append(CultureInfo.InvariantCulture, $"| {figure.Name} | {(figure.Median is { } median ? unit.Print(median) : "–")}{(figure.Remark is { } remark ? $" ({remark})" : "")} | {range} | {(figure.Foreign is { } foreign ? string.Create(CultureInfo.InvariantCulture, $"{foreign:0.00} processors") : "–")} | {settings} |\n");
            }

            text.Append('\n');
        }

        return text.ToString().TrimEnd() + "\n";
    }

    /// <summary>
    /// Puts the first row that has a target of each of these experiments between the marks of a page, and how many of all targets were
    /// met; a page without marks stays as it is.
    /// </summary>
    public static string Insert(string page, IReadOnlyList<Result> results, IReadOnlyList<string> headlines)
    {
        var start = page.IndexOf(Start, StringComparison.Ordinal);
        var end = page.IndexOf(End, StringComparison.Ordinal);
        if (start < 0 || end < start)
            return page;
        var rows = results.Where(result => headlines.Contains(result.Name)).Select(result => result.Rows.First(row => row.Target is not null));
        var block = $"{Start}\n{Table(rows)}\n{Verdict(results)}\nAll of them, and how they were taken: [bench/RESULTS.md](bench/RESULTS.md). {results[0].Machine}.\n";
        return page[..start] + block + page[end..];
    }

    static IEnumerable<Row> WithTarget(IEnumerable<Result> results) => results.SelectMany(result => result.Rows).Where(row => row.Target is not null);

    static string Verdict(IReadOnlyList<Result> results)
    {
        var rows = WithTarget(results).ToArray();
        var missed = results.Where(result => result.Rows.Any(row => row.Met == false)).Select(result => $"`{result.Name}`");
        return string.Create(CultureInfo.InvariantCulture,
            $"{rows.Count(row => row.Met == true)} of {rows.Length} targets were met; experiments in which one was not: {string.Join(", ", missed.DefaultIfEmpty("none"))}.");
    }

    static string Value(Figure figure, Unit unit)
    {
        var value = figure.Median is { } median ? unit.Print(median) : "not measured";
        var remark = figure.Remark is { } text ? $" ({text})" : "";
        return $"{figure.Name}: {value}{(figure.IsDisturbed ? "*" : "")}{remark}";
    }
}
