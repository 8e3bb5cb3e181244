using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein.Tests.Child;

/// <summary>A program with a pool whose workers are at something when it is killed.</summary>
[SupportedOSPlatform("linux")]
static partial class PoolParentCase
{
    const int Stop = 19;

    /// <summary>Prints a line for each worker: its number, a child's, and that of one that left its group, session and parent.</summary>
    public static async Task<int> Run(string activity)
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2 });
        var report = new Progress();
        var tasks = Enumerable.Range(0, 2).Select(_ => pool.RunAsync(Work, activity, (IProgress<string>)report)).ToArray();
        if (activity == "idle")
            await Task.WhenAll(tasks);
        await Task.Delay(Timeout.InfiniteTimeSpan);
        return 0;
    }

    /// <summary>Prints a line for each of two portable workers, one that spins and one that has done its task: its number, and a child's.</summary>
    public static async Task<int> RunPortable()
    {
        await using var pool = await WorkerPool.StartAsync(new PortableProcessPlace(), new() { Workers = 2 });
        IProgress<string> report = new Progress();
        _ = pool.RunAsync(static report =>
        {
            report.Report($"{Environment.ProcessId} {Process.Start("sleep", "1000").Id}");
            while (true)
            {
                // spins
            }
        }, report);
        await pool.RunAsync(static report => report.Report($"{Environment.ProcessId} {Process.Start("sleep", "1000").Id}"), report);
        await Task.Delay(Timeout.InfiniteTimeSpan);
        return 0;
    }

    static async Task Work(string activity, IProgress<string> report)
    {
        var child = Process.Start("sleep", "1000").Id;
        var family = $"{Environment.ProcessId} {child} {StartEscaped()}";
        if (activity == "nested")
        {
            await using var inner = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1 });
            report.Report($"{family} {inner.WorkerProcessIds[0]} {await inner.RunAsync(StartEscaped)}");
            await Task.Delay(Timeout.InfiniteTimeSpan);
        }

        if (activity == "stopped child")
            _ = Kill(child, Stop);
        report.Report(family);
        switch (activity)
        {
            case "managed":
                while (true)
                {
                    // spins
                }
            case "native":
                while (true)
                    _ = Sleep(1000);
            case "stopped":
                _ = Kill(Environment.ProcessId, Stop);
                break;
        }
    }

    static int StartEscaped()
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "setsid sh -c 'echo $$; exec sleep 1000' & wait $!"]) { RedirectStandardOutput = true })!;
        return int.Parse(shell.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
    }

    sealed class Progress : IProgress<string>
    {
        public void Report(string value) => Console.WriteLine(value);
    }

    [LibraryImport("libc", EntryPoint = "kill")] private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "sleep")] private static partial uint Sleep(uint seconds);
}
