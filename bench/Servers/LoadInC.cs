using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Skein.Bench.Servers;

/// <summary>
/// As <see cref="HttpLoad"/>, by <c>c/load.c</c>: where a server's throughput is the figure, its clients share the processors with it, and
/// what they cost is taken from every contender alike; the less it is, the more the figure is the server's.
/// </summary>
static class LoadInC
{
    static readonly Lazy<Task<string>> Program = new(() => CProgram.CompileAsync("load"));

    /// <summary>How many answers came within the time, by the second; every one was checked.</summary>
    public static async Task<double> RunAsync(IPEndPoint server, string path, int clients, TimeSpan time, bool keepAlive = true)
    {
        using var load = Process.Start(new ProcessStartInfo(
            await Program.Value, [$"{server.Port}", path, $"{clients}", $"{(int)time.TotalMilliseconds}", keepAlive ? "kept" : "fresh"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var answered = await load.StandardOutput.ReadToEndAsync().Within();
            var failure = await load.StandardError.ReadToEndAsync().Within();
            await load.WaitForExitAsync().WaitAsync(Patience.Limit);
            return load.ExitCode == 0 ? long.Parse(answered, CultureInfo.InvariantCulture) / time.TotalSeconds : throw new InvalidDataException(failure);
        }
        finally
        {
            if (!load.HasExited)
                load.Kill();
        }
    }
}
