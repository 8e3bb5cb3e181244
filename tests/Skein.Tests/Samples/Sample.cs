using Skein.Tests.Cli;

namespace Skein.Tests.Samples;

/// <summary>A sample, as it was built together with these tests, run as a program of its own.</summary>
static class Sample
{
    /// <summary>Where they were built.</summary>
    public static string Folder { get; } = AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Samples/", StringComparison.Ordinal);

    public static async Task<Ended> RunAsync(string name, params string[] arguments)
    {
        var ended = await SkeinCommand.RunProgramAsync("dotnet", [Path.Combine(Folder, name + ".dll"), .. arguments]);
        Assert.True(ended.Code == 0, $"{name} ended with {ended.Code}.\n{ended.Output}\n{ended.Error}");
        return ended;
    }

    /// <summary>Starts one that serves until it is asked to end; ready when it has printed so many lines.</summary>
    public static async Task<Started> StartAsync(string name, int lines, string[] arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var started = SkeinCommand.StartProgram("dotnet", [Path.Combine(folder ?? Folder, name + ".dll"), .. arguments], environment);
        try
        {
            await Limits.Until(
                () => started.Output.Count(c => c == '\n') >= lines || started.Process.HasExited,
                () => $"{lines} lines of {name}, which printed:\n{started.Output}{started.Error}");
            return started;
        }
        catch
        {
            started.Dispose();
            throw;
        }
    }
}
