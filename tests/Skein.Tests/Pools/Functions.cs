using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Skein.Tests.Pools;

/// <summary>What tasks of the tests do to their workers.</summary>
static partial class Functions
{
    public static int Prepared { get; set; }

    public static int Overflow(int depth) => Overflow(depth + 1) + Overflow(depth + 2);

    [SuppressMessage("ApiDesign", "RS0030", Justification = "What happens when a task calls it is what is tested.")]
    public static void ExitWith(int code) => Environment.Exit(code);

    public static int NativeSleep(int seconds) => (int)Sleep((uint)seconds);

    public static unsafe int TakeNative(int bytes)
    {
        var memory = (byte*)NativeMemory.Alloc((nuint)bytes);
        for (long i = 0; i < bytes; i += 4096)
            memory[i] = 1;
        return memory[bytes / 2];
    }

    /// <summary>Starts a process that has left its group, session and parent, and returns its number.</summary>
    public static int StartEscaped()
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "setsid sh -c 'echo $$; exec sleep 600' & wait $!"]) { RedirectStandardOutput = true })!;
        return int.Parse(shell.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
    }

    public static bool IsAlive(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;   // it may go between opening and reading
        }
    }

    public static async Task<int> SumInPool(int factor)
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2 });
        var sum = 0;
        await foreach (var outcome in pool.MapAsync(Enumerable.Range(1, 10), number => number * factor))
            sum += outcome.Value;
        return sum;
    }

    /// <summary>As a crash does it: at once.</summary>
    public static void EndSelf() => _ = Kill(Environment.ProcessId, 9);

    public static void StopSelf() => _ = Kill(Environment.ProcessId, 19);

    [LibraryImport("libc", EntryPoint = "kill")] public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "sleep")] private static partial uint Sleep(uint seconds);
}
