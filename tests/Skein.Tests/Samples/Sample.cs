using Skein.Tests.Cli;

namespace Skein.Tests.Samples;

/// <summary>A sample, as it was built together with these tests, run as a program of its own.</summary>
static class Sample
{
    static readonly string Folder = AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Samples/", StringComparison.Ordinal);

    public static async Task<Ended> RunAsync(string name, params string[] arguments)
    {
        var ended = await SkeinCommand.RunProgramAsync("dotnet", [Path.Combine(Folder, name + ".dll"), .. arguments]);
        Assert.True(ended.Code == 0, $"{name} ended with {ended.Code}.\n{ended.Output}\n{ended.Error}");
        return ended;
    }
}
