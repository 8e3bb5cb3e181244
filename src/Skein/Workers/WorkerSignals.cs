using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>The signals that a worker needs to end with all it has started.</summary>
[SupportedOSPlatform("linux")]
static partial class WorkerSignals
{
    const int HangUp = 1, Kill = 9;

    /// <summary>Ends the own process group, this process included.</summary>
    public static void KillGroup() => _ = Send(0, Kill);

    /// <summary>
    /// Makes SIGHUP do nothing to this process. The kernel sends it to a group with a stopped member when the group's last tie to its
    /// session is cut (setpgid(2), "orphaned"): that is, when the parent has died, and this process either has a stopped child or has just
    /// stopped what it is about to kill. It would die before it has killed it.
    /// </summary>
    /// <remarks>
    /// The handler is a function of the C library that has no effect. Ignoring the signal would be passed on to every program that is
    /// started here; a handler is not.
    /// </remarks>
    public static void OutliveHangUp() => _ = Handle(HangUp, NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "abs"));

    [LibraryImport("libc", EntryPoint = "kill")] private static partial int Send(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")] private static partial nint Handle(int signal, nint handler);
}
