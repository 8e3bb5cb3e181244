using System.Diagnostics;

namespace Skein.Tests.Packages;

/// <summary>A program that is run to its end, within a limit; what it printed, if it succeeded.</summary>
static class Tool
{
    /// <summary>What programs leave in their temporary folder, and packages they unpack, go with this.</summary>
    public static string Scratch => Path.Combine(Path.GetTempPath(), "tools");

    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";   // nothing stays behind that a later build might have used
        start.Environment["TMPDIR"] = Directory.CreateDirectory(Scratch).FullName;
        if (arguments is ["tool", ..])
            start.Environment["NUGET_PACKAGES"] = Path.Combine(Scratch, "packages");   // a tool's project has no other way to say it
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).Within(60);
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output.Within()}{await errors.Within()}");
            return await output.Within();
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
