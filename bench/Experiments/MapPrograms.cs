using System.Diagnostics;
using System.Globalization;

namespace Skein.Bench.Experiments;

/// <summary>Jobs that start a program which does nothing; the whole command is timed, its own start included.</summary>
static class MapPrograms
{
    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(1000);
        return new("map-programs", $"`true` for each of {count} inputs, 2 at a time", Unit.PerSecond,
        [
            new Command("Skein", "skein map --jobs 2 -- true", count, Path.Combine(Peers.Folder, "../skein"), "map", "--jobs", "2", "--", "true"),
            new Command("GNU parallel", "parallel -j2 true", count, "parallel", "--will-cite", "-j2", "true"),
            new Command("xargs", "xargs -P2 -n1 true", count, "xargs", "-P2", "-n1", "true"),
        ],
        [
            new("Skein", "GNU parallel") { AtLeast = 3 },
            new("Skein", "xargs") { AtLeast = 0.8 },
        ]);
    }

    /// <summary>A command that takes its inputs from standard input, one a line.</summary>
    sealed class Command(string name, string settings, int count, string program, params string[] arguments) : Contender(name, settings)
    {
        public override async Task StartAsync()
        {
            Peers.Require(program, "");
            Version = (await Output.OfAsync(program, "--version")).Split('\n')[0];
        }

        public override async Task<double> MeasureAsync()
        {
            var inputs = string.Concat(Enumerable.Range(1, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i}\n")));
            var started = Stopwatch.GetTimestamp();
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
            await process.StandardInput.WriteAsync(inputs);
            process.StandardInput.Close();
            await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return process.ExitCode == 0 ? count / took : throw new InvalidOperationException($"{Name} ended with {process.ExitCode}");
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
