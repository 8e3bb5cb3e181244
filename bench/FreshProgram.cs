using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Skein.Bench;

/// <summary>A contender that is started anew for every figure, which it measures itself: nothing of it is warm but the system's file cache.</summary>
sealed class FreshProgram(string name, string settings, string program, params string[] arguments) : Contender(name, settings)
{
    public override Task StartAsync()
    {
        Peers.Require(program, arguments[0]);
        return Task.CompletedTask;
    }

    public override async Task<double> MeasureAsync()
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var line = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"{Name} ended without an answer: its standard error says why.");
        var value = JsonSerializer.Deserialize<JsonElement>(line).GetProperty("value").GetDouble();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? value : throw new InvalidDataException($"{Name} found its own work wrong: exit code {process.ExitCode}.");
    }

    /// <summary>Is said by the program that was started.</summary>
    public static Task TellAsync(double value) => Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $$"""{"value": {{value}}}"""));

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
