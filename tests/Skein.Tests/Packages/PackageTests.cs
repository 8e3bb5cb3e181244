using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Skein.Tests.Structure;

namespace Skein.Tests.Packages;

/// <summary>The packages, made from this source.</summary>
public sealed class PackedSource : IAsyncLifetime
{
    // Of no other build, so that no cache can answer with an older one.
    public string Version { get; } = $"0.0.1-test.{Environment.ProcessId}.{Environment.TickCount64}";

    public string Folder { get; } = Directory.CreateTempSubdirectory("skein-packages-").FullName;

    public string Feed => Path.Combine(Folder, "feed");

    /// <summary>The packages this machine has already: what is not ours need not come over the network again.</summary>
    public static string Known =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    public async ValueTask InitializeAsync()
    {
        if (!Limits.Long)
            return;
        await PackAsync("src/Skein");
        await PackAsync("src/Skein.Servers");
        await PackAsync("src/Skein.Cli");
    }

    async Task PackAsync(string project) =>
        await Tool.RunAsync(Repository.Root, "dotnet", "pack", project, "-o", Feed, "--artifacts-path", Path.Combine(Folder, "artifacts"),
            $"-p:Version={Version}", "-v", "q", "-nologo");

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        if (Directory.Exists(Tool.Scratch))
            Directory.Delete(Tool.Scratch, recursive: true);
        return default;
    }
}

/// <summary>Skein as its users have it: packages from a feed, in a project that is not of this repository.</summary>
public partial class PackageTests(PackedSource packed) : IClassFixture<PackedSource>
{
    public static bool IsShort => !Limits.Long;

    const string TakesAMinute = "packs, restores and publishes for a minute: ./check --long";

    [Theory(Skip = TakesAMinute, SkipWhen = nameof(IsShort))]
    [InlineData("Skein")]
    [InlineData("Skein.Servers")]
    public void The_library_is_packed_with_its_readme_comments_and_symbols_and_names_no_path_of_the_machine(string name)
    {
        using var package = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{name}.{packed.Version}.nupkg"));
        var files = package.Entries.Select(entry => entry.FullName).ToArray();

        Assert.Contains("README.md", files);
        Assert.Contains($"lib/net10.0/{name}.dll", files);
        Assert.Contains($"lib/net10.0/{name}.xml", files);
        Assert.Contains($"lib/net10.0/{name}.pdb", files);
        Assert.All(package.Entries.Where(entry => entry.Name.StartsWith("Skein.", StringComparison.Ordinal)), entry =>
        {
            using var content = new StreamReader(entry.Open(), Encoding.Latin1);
            Assert.DoesNotContain(Repository.Root, content.ReadToEnd(), StringComparison.Ordinal);
        });
    }

    [Fact(Skip = TakesAMinute, SkipWhen = nameof(IsShort))]
    public void The_library_brings_its_analyzer()
    {
        using var package = ZipFile.OpenRead(Path.Combine(packed.Feed, $"Skein.{packed.Version}.nupkg"));
        Assert.Contains("analyzers/dotnet/cs/Skein.Analyzers.dll", package.Entries.Select(entry => entry.FullName));
        using var specification = new StreamReader(package.GetEntry("Skein.nuspec")!.Open());
        Assert.DoesNotContain("CodeAnalysis", specification.ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact(Skip = TakesAMinute, SkipWhen = nameof(IsShort))]
    public async Task The_first_example_of_the_readme_runs_in_an_application_that_knows_Skein_only_as_a_package()
    {
        var folder = NewApplication("app");

        await Tool.RunAsync(folder, "dotnet", "build", "-o", "out", "-v", "q", "-nologo");

        Assert.Equal(Squares, Lines(await Tool.RunAsync(folder, Path.Combine(folder, "out", "app"))));
    }

    [Fact(Skip = TakesAMinute, SkipWhen = nameof(IsShort))]
    public async Task The_first_example_of_the_readme_runs_in_a_self_contained_application()
    {
        var folder = NewApplication("alone");

        await Tool.RunAsync(folder, "dotnet", "publish", "-r", "linux-x64", "--self-contained", "-o", "out", "-v", "q", "-nologo");

        Assert.Equal(Squares, Lines(await Tool.RunAsync(folder, Path.Combine(folder, "out", "alone"))));
    }

    [Theory(Skip = TakesAMinute, SkipWhen = nameof(IsShort))]
    [InlineData("false")]
    [InlineData("true")]
    public async Task The_first_example_of_the_readme_runs_in_a_single_file(string selfContained)
    {
        var folder = NewApplication($"single-{selfContained}");

        await Tool.RunAsync(folder, "dotnet", "publish", "-r", "linux-x64", "--self-contained", selfContained, "-p:PublishSingleFile=true", "-o", "out", "-v", "q", "-nologo");

        Assert.Empty(Directory.GetFiles(Path.Combine(folder, "out"), "*.dll"));
        Assert.Equal(Squares, Lines(await Tool.RunAsync(folder, Path.Combine(folder, "out", $"single-{selfContained}"))));
    }

    [Fact(Skip = TakesAMinute, SkipWhen = nameof(IsShort))]
    public async Task The_command_is_installed_as_a_tool()
    {
        var tools = Path.Combine(packed.Folder, "tools");

        await Tool.RunAsync(packed.Folder, "dotnet", "tool", "install", "Skein.Cli", "--tool-path", tools, "--add-source", packed.Feed, "--version", packed.Version);

        Assert.Equal("hello\n", await Tool.RunAsync(packed.Folder, Path.Combine(tools, "skein"), "run", "--", "echo", "hello"));
    }

    static IEnumerable<string> Squares => Enumerable.Range(1, 10).Select(n => $"{n} squared is {n * n}").Order(StringComparer.Ordinal);

    static IEnumerable<string> Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);

    string NewApplication(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(packed.Folder, name)).FullName;
        var example = CSharp().Match(File.ReadAllText(Repository.At("README.md"))).Groups[1].Value;
        File.WriteAllText(Path.Combine(folder, "Program.cs"), example);
        File.WriteAllText(Path.Combine(folder, $"{name}.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <RestoreAdditionalProjectSources>{packed.Feed}</RestoreAdditionalProjectSources>
                <RestorePackagesPath>{Path.Combine(Tool.Scratch, "packages")}</RestorePackagesPath>
                <RestoreFallbackFolders>{PackedSource.Known}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Skein" Version="{packed.Version}" />
              </ItemGroup>
            </Project>
            """);
        return folder;
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)] private static partial Regex CSharp();
}
