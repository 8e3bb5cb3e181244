using System.Text.RegularExpressions;
using Skein.Tests.Structure;

namespace Skein.Tests.Samples;

public partial class SampleListTests
{
    [Fact]
    public void The_README_shows_code_of_the_samples_and_names_all_of_them()
    {
        var readme = File.ReadAllText(Repository.At("README.md"));
        var samples = Repository.Sources("samples").ToArray();
        Assert.All(samples, sample => Assert.Contains($"(samples/{sample.Path})", readme, StringComparison.Ordinal));
        var shown = Block().Matches(readme).Select(block => block.Groups[1].Value).Where(code => code.StartsWith("static", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(shown);
        Assert.All(shown, code => Assert.Contains(samples, sample => sample.Text.Contains(code, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_sample_is_run_by_a_test_and_says_how_it_is_started()
    {
        var tests = string.Concat(Repository.Sources("tests/Skein.Tests/Samples").Select(file => file.Text));
        foreach (var (path, text) in Repository.Sources("samples"))
        {
            Assert.Matches($@"Sample\.(Run|Start)Async\(""{Path.GetFileNameWithoutExtension(path)}""", tests);
            Assert.StartsWith("// ", text, StringComparison.Ordinal);
            Assert.Contains($"//   dotnet run samples/{path}", text, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)] private static partial Regex Block();
}
