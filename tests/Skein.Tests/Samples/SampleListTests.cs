using Skein.Tests.Structure;

namespace Skein.Tests.Samples;

public class SampleListTests
{
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
}
