using System.Text.RegularExpressions;
using Skein.Tests.Cli;

namespace Skein.Tests.Samples;

/// <summary>The main job of the README: words counted with a pool of processes, whatever happens to its workers.</summary>
public sealed partial class WordCountTests : IDisposable
{
    const string Licences = "/usr/share/common-licenses";

    readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Words_are_counted_as_the_tools_of_the_system_count_them()
    {
        Assert.SkipUnless(Directory.Exists(Licences), $"this system has no {Licences}");
        Assert.Equal(await CountByTools(Licences, top: 25), (await Sample.RunAsync("wordcount", Licences, "--top", "25")).Lines);
    }

    [Fact]
    public async Task Letters_of_every_script_make_words_in_folders_of_any_depth_and_links_are_not_followed()
    {
        Directory.CreateDirectory(_folder["a/b"]);
        _folder.Write("a/one.txt", "Über über ÜBER, naïve don't x1y Ελλάδα ελλάδα\nwithout a newline at the end");
        _folder.Write("a/b/two.txt", "end END The the _the_ ... 12 34 слово Слово");
        _folder.Write("empty.txt", "");
        File.CreateSymbolicLink(_folder["a/again.txt"], _folder["a/one.txt"]);
        var expected = CountByRegex(["a/one.txt", "a/b/two.txt", "empty.txt"]);
        Assert.Equal(expected, (await Sample.RunAsync("wordcount", _folder.Path, "--top", "100", "--workers", "3")).Lines);
    }

    [Fact]
    public async Task Workers_that_are_killed_in_the_middle_change_nothing_in_the_counts()
    {
        var random = new Random(20261121);
        var files = Enumerable.Range(0, 20).Select(number => $"{number}.txt").ToArray();
        foreach (var file in files)
            _folder.Write(file, string.Join(' ', Enumerable.Range(0, 2_000).Select(_ => Word(random.Next(500)))));

        var ended = await Sample.RunAsync("wordcount", _folder.Path, "--top", "1000", "--workers", "2", "--kill");
        Assert.Equal(CountByRegex(files), ended.Lines);
        Assert.Equal(3, Killed().Matches(ended.Error).DistinctBy(killed => killed.Value).Count());
        Assert.Matches(@"2 workers, [45] started", ended.Error);   // the last one may not be needed again
    }

    [Fact]
    public async Task The_first_command_of_the_README_prints_the_top_words()
    {
        Assert.SkipUnless(Directory.Exists(Licences), $"this system has no {Licences}");
        var home = new Dictionary<string, string> { ["SKEIN_HOME"] = _folder["home"] };
        var ended = await SkeinCommand.RunAsync("", ["run", Structure.Repository.At("samples/wordcount.cs"), "--", Licences], home, seconds: 60);
        Assert.True(ended.Code == 0, ended.Error);
        Assert.Equal(await CountByTools(Licences, top: 10), ended.Lines);
    }

    static async Task<string[]> CountByTools(string folder, int top)
    {
        var counted = await SkeinCommand.RunProgramAsync("sh", "-c",
            $"export LC_ALL=C; grep -rohaE '[A-Za-z]+' {folder} | tr A-Z a-z | sort | uniq -c | sort -k1,1nr -k2,2; find {folder} -type f | wc -l");
        var words = counted.Lines[..^1].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        Assert.True(words.Length > 1000, counted.Error);
        return
        [
            .. words.Take(top).Select(line => $"{line[0],8} {line[1]}"),
            $"{counted.Lines[^1].Trim()} files, {words.Sum(line => int.Parse(line[0], System.Globalization.CultureInfo.InvariantCulture))} words, {words.Length} different",
        ];
    }

    string[] CountByRegex(string[] files)
    {
        var words = files.SelectMany(file => Words().Matches(File.ReadAllText(_folder[file]))).GroupBy(word => word.Value.ToLowerInvariant()).ToArray();
        return
        [
            .. words.OrderBy(word => -word.Count()).ThenBy(word => word.Key, StringComparer.Ordinal).Select(word => $"{word.Count(),8} {word.Key}"),
            $"{files.Length} files, {words.Sum(word => word.Count())} words, {words.Length} different",
        ];
    }

    static string Word(int number) => $"{(char)('a' + number % 26)}{(char)('A' + number / 26 % 26)}{(char)('k' + number % 7)}";

    [GeneratedRegex(@"\p{L}+")] private static partial Regex Words();
    [GeneratedRegex(@"killing worker \d+")] private static partial Regex Killed();
}
