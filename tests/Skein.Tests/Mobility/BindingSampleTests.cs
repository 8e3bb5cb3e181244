using System.Text.RegularExpressions;
using Skein.Tests.Structure;

namespace Skein.Tests.Mobility;

/// <summary>What docs/bindings.md shows compiles, and does what it says.</summary>
public partial class BindingSampleTests
{
    [Fact]
    public async Task The_samples_of_the_documentation_do_what_they_say()
    {
        var (a, b) = (new MobileNode("a"), new MobileNode("b"));
        a.Connect(b);
        var ledgers = new[] { new BindingSamples.Ledger(), new BindingSamples.Ledger() };
        a.Provide("ledger", ledgers[0]);
        b.Provide("ledger", ledgers[1]);
        var notes = Path.GetFullPath("notes.txt");
        try
        {
            await File.WriteAllTextAsync(notes, "a\n", TestContext.Current.CancellationToken);
            Assert.Equal(990, await a.Start(static async () => await new BindingSamples.Surveyor(new BindingSamples.Bank()).Visit("b")).Completion.Within());
            Assert.Equal(990, await a.Start(static () => BindingSamples.Wrapped("b")).Completion.Within());
            Assert.Equal("a\n", await File.ReadAllTextAsync(notes, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(notes);
        }
        Assert.Equal([0, 20], ledgers.Select(ledger => ledger.Total));
    }

    [Fact]
    public void The_documentation_shows_code_that_is_compiled()
    {
        var compiled = Lines(Source("tests/Skein.Tests/Mobility/BindingSamples.cs"));
        var blocks = Block().Matches(Source("docs/bindings.md"));
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(Lines(block.Groups[1].Value.TrimEnd()), compiled, StringComparison.Ordinal));
    }

    static string Source(string path) => File.ReadAllText(Repository.At(path));

    static string Lines(string code) => string.Concat(code.Split('\n').Select(static line => line.Trim() + "\n"));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)] private static partial Regex Block();
}
