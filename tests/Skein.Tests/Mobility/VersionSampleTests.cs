using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Skein.Tests.Structure;

namespace Skein.Tests.Mobility;

/// <summary>What docs/versions.md shows compiles, and does what it says.</summary>
public partial class VersionSampleTests
{
    static readonly string[] Blocks = [.. Block().Matches(Source("docs/versions.md")).Select(static block => block.Groups[1].Value)];

    static CompiledBuild Build(string version) => new($$"""
        public sealed record Order(string Id);

        public static class Orders
        {
        {{Assert.Single(Blocks, block => block.StartsWith($"// {version}\n", StringComparison.Ordinal))}}
            public static Mobile<string> Run() => Ship(new("o1"));
        }
        """, "Orders");

    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess<string> Start(MobileNode node, LoadedBuild build) =>
        node.Start(build.Assembly.GetType("Orders")!.GetMethod("Run")!.CreateDelegate<Func<Mobile<string>>>());

    [Fact]
    public async Task What_the_documentation_shows_goes_on_as_it_says()
    {
        using var firstFile = Build("2.0");
        using var secondFile = Build("2.1");
        var node = new MobileNode("a");
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        MobileProcess<string>[] processes = [Start(node, first), Start(node, first)];
        foreach (var process in processes)
            process.Send("o2/1");
        Assert.All(await node.UpgradeAsync(second).Within(30), static upgraded => Assert.Null(upgraded.WhyNot));
        processes[0].Send("o1/2");
        Assert.Equal("o1/2 at try 2", await processes[0].Completion.Within());
        processes[1].Send("o2/2");
        processes[1].Send("o2/3");
        Assert.Equal("gave up", await processes[1].Completion.Within());
    }

    [Fact]
    public void The_documentation_shows_code_that_is_compiled()
    {
        var compiled = Lines(Source("tests/Skein.Tests/Mobility/VersionSamples.cs"));
        Assert.Equal(4, Blocks.Length);
        Assert.All(Blocks[..2], block => Assert.Contains(Lines(block.TrimEnd()), compiled, StringComparison.Ordinal));
    }

    static string Source(string path) => File.ReadAllText(Repository.At(path));

    static string Lines(string code) => string.Concat(code.Split('\n').Select(static line => line.Trim() + "\n"));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)] private static partial Regex Block();
}
