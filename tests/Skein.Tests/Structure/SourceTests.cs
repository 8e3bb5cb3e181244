using System.Text.RegularExpressions;

namespace Skein.Tests.Structure;

/// <summary>The source stays small, finished and plain.</summary>
public partial class SourceTests
{
    static readonly string[] Folders = ["src", "tests", "samples", "bench"];

    static (string Path, string Text)[] Product { get; } = [.. Repository.Sources("src")];

    [Fact]
    public void No_file_is_longer_than_500_lines() =>
        Assert.Equal([], Folders
            .Where(folder => Directory.Exists(Repository.At(folder)))
            .SelectMany(folder => Repository.Sources(folder).Select(file => (Path: $"{folder}/{file.Path}", Lines: Lines(file.Text))))
            .Where(file => file.Lines > 500));

    [Fact]
    public void The_median_file_of_the_product_is_shorter_than_100_lines()
    {
        var lengths = Product.Select(file => Lines(file.Text)).Order().ToArray();
        Assert.InRange(lengths[lengths.Length / 2], 1, 99);
    }

    [Fact]
    public void The_product_has_nothing_unfinished_or_switched_off() =>
        Assert.Equal([], Product.SelectMany(file => Unwanted().Matches(file.Text).Select(found => $"{file.Path}: {found.Value}")));

    static int Lines(string text) => text.Count(c => c == '\n');

    [GeneratedRegex(@"#pragma|#region|NotImplementedException|\bTODO\b|\bFIXME\b|\bDllImport\b")] private static partial Regex Unwanted();
}
