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
}
