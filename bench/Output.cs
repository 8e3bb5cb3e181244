using System.Diagnostics;

namespace Skein.Bench;

/// <summary>Runs a program to its end.</summary>
static class Output
{
    /// <summary>What it wrote to its standard output; an exit code other than 0 is an exception.</summary>
    public static async Task<string> OfAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
    }
}
