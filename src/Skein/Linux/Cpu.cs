using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Which processor runs the calling thread.</summary>
[SupportedOSPlatform("linux")]
static partial class Cpu
{
    /// <summary>The number of the processor at this moment (about 20 ns).</summary>
    [LibraryImport("libc", EntryPoint = "sched_getcpu"), SuppressGCTransition]
    public static partial int Current();

    /// <summary>Whether the machine has a processor of this number; true where it does not say.</summary>
    public static bool Exists(int number) => !Directory.Exists("/sys/devices/system/cpu/cpu0") || Directory.Exists($"/sys/devices/system/cpu/cpu{number}");
}
