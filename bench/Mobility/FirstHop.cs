using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Skein.Bench.Mobility;

/// <summary>A node that has just been started is given a function whose code it does not have.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
static class FirstHop
{
    static readonly string Hello = Path.Combine(AppContext.BaseDirectory, "../../Hello", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "hello.dll");

    public static Experiment Create(Scale scale) => new("mobile-first-hop", "first hop to a fresh node, with its code, beside the start of a program", Unit.Milliseconds,
    [
        new Local("first hop", "Here.MoveTo over a Unix socket to a node that has moved nothing before; the function has ended there", HopAsync),
        new Local("dotnet hello.dll", "to its end", StartAsync),
    ],
    [
        new("first hop", "dotnet hello.dll") { AtLeast = 0.25 },
    ]);

    static async Task<double> HopAsync()
    {
        var folder = Directory.CreateTempSubdirectory("skein-bench-first-").FullName;
        double took;
        await using (await NodeProgram.StartAsync(NodeProgram.Argument, folder))
        await using (var here = await ClusterNode.StartAsync("here", new() { Folder = folder }))
        {
            using var build = here.Node.Load(Hello);
            var started = Stopwatch.GetTimestamp();
            var said = await Go(here.Node, build).Completion.Within();
            took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            if (said != $"from here to {NodeProgram.Name}")
                throw new InvalidDataException(said);
        }

        Directory.Delete(folder, recursive: true);
        return took;
    }

    /// <summary>Not inlined: a local would keep the build.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess<string> Go(MobileNode node, LoadedBuild build)
    {
        var go = build.Assembly.GetType("Skein.Bench.Hello.Flow")!.GetMethod("GoAsync")!.CreateDelegate<Func<string, Mobile<string>>>();
        return node.Start(() => go(NodeProgram.Name));
    }

    static async Task<double> StartAsync()
    {
        var started = Stopwatch.GetTimestamp();
        using var hello = Process.Start(new ProcessStartInfo("dotnet", [Hello]) { RedirectStandardOutput = true })!;
        var said = await hello.StandardOutput.ReadToEndAsync().Within();
        await hello.WaitForExitAsync();
        return said.Trim() == "hello" ? Stopwatch.GetElapsedTime(started).TotalMilliseconds : throw new InvalidDataException(said);
    }
}
