using Skein.Tests.Structure;

namespace Skein.Tests.Cli;

/// <summary>The script <c>skein</c> of the source tree builds the command when what it is built of has changed, and only then.</summary>
public sealed class ScriptTests : IDisposable
{
    static readonly string[] Sources = ["src/Program.cs", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json"];

    const string Built = "artifacts/.skein-built", Command = "artifacts/bin/Skein.Cli/release/skein-cli.dll";

    readonly ScratchFolder _folder = new();
    readonly DateTime _now = TimeProvider.System.GetUtcNow().UtcDateTime;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("src/Program.cs")]
    [InlineData("Directory.Build.props")]
    [InlineData("Directory.Build.targets")]
    [InlineData("Directory.Packages.props")]
    [InlineData("global.json")]
    public async Task It_builds_once_after_a_change(string changed)
    {
        // A tree that was built, with a dotnet that only says what it is asked for.
        foreach (var folder in (string[])["src", "bin", Path.GetDirectoryName(Command)!])
            Directory.CreateDirectory(_folder[folder]);
        File.Copy(Repository.At("skein"), _folder["skein"]);
        File.CreateSymbolicLink(_folder["bin/dotnet"], "/bin/echo");
        foreach (var file in (string[])[.. Sources, Built, Command])
            _folder.Write(file, "");
        foreach (var source in Sources)
            File.SetLastWriteTimeUtc(_folder[source], _now.AddHours(-3));
        Directory.SetLastWriteTimeUtc(_folder["src"], _now.AddHours(-3));
        File.SetLastWriteTimeUtc(_folder[Built], _now.AddHours(-2));

        Assert.Equal((0, $"{_folder[Command]} ps\n", ""), await RunAsync());
        File.SetLastWriteTimeUtc(_folder[changed], _now.AddHours(-1));
        Assert.Equal((0, $"{_folder[Command]} ps\n", "skein: building the command (only after a change)...\n"), await RunAsync());
        Assert.Equal((0, $"{_folder[Command]} ps\n", ""), await RunAsync());
    }

    async Task<(int, string, string)> RunAsync()
    {
        var path = $"{_folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}";
        using var started = SkeinCommand.StartProgram("sh", [_folder["skein"], "ps"], new Dictionary<string, string> { ["PATH"] = path });
        var ended = await started.EndAsync();
        return (ended.Code, ended.Output, ended.Error);
    }
}
