using System.Diagnostics;
using System.Text.Json;

namespace Skein.Bench;

/// <summary>A contender that is started anew for every figure: nothing of it is warm but the system's file cache.</summary>
/// <param name="whole">
/// True: the figure is the time from starting the program until its answer stands on its standard output, in milliseconds.
/// False: the figure is what the program itself measured.
/// </param>
sealed class FreshProgram(string name, string settings, bool whole, string program, params string[] arguments) : Contender(name, settings)
{
    public override Task StartAsync()
    {
        Peers.Require(program, arguments[0]);
        return Task.CompletedTask;
    }

    public override async Task<double> MeasureAsync()
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var line = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"{Name} ended without an answer: its standard error says why.");
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var value = JsonSerializer.Deserialize<JsonElement>(line).GetProperty("value").GetDouble();
        await process.WaitForExitAsync();
        return whole ? took : value;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
