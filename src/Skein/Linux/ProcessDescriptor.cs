using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// System calls on a pidfd: a descriptor that stands for one process and never for a later one with the same number.
/// It becomes readable when the process ends.
/// </summary>
[SupportedOSPlatform("linux")]
static unsafe partial class ProcessDescriptor
{
    public const int SIGKILL = 9, SIGCONT = 18, SIGSTOP = 19;

    /// <summary>The descriptor of a running process, or -1 where there is none with this number.</summary>
    public static int Open(int id) => (int)SystemCall(434, id, 0, 0, 0, 0);

    /// <summary>Sends a signal; false where the process has ended (or is not ours to signal).</summary>
    public static bool Signal(int descriptor, int signal) => SystemCall(424, descriptor, signal, 0, 0, 0) == 0;

    /// <summary>Whether the process has ended; its status is left for <see cref="Wait"/>.</summary>
    public static bool HasEnded(int descriptor)
    {
        var look = new Libc.PollDescriptor(descriptor, Libc.PollIn);
        return Libc.Poll(&look, 1, 0) > 0;
    }

    /// <summary>Kills the group that a child leads. Only for a child that has not been waited for: its number is not another's.</summary>
    public static void KillGroup(int leader) => _ = Kill(-leader, SIGKILL);

    /// <summary>
    /// Where the program that started us has SIGCHLD ignored, we inherited that, and the kernel would throw away the exit status of our
    /// children.
    /// </summary>
    public static void KeepExitStatus()
    {
        var action = stackalloc nint[32];
        if (SignalAction(ChildSignal, null, action) == 0 && action[0] == Ignore)
        {
            new Span<nint>(action, 32).Clear();
            _ = SignalAction(ChildSignal, action, null);
        }
    }

    /// <summary>Waits for a child's end and takes its status; false where somebody else has taken it.</summary>
    public static bool Wait(int descriptor, out SignalInformation status, out Usage use)
    {
        fixed (SignalInformation* information = &status)
        {
            fixed (Usage* usage = &use)
            {
                while (true)
                {
                    *information = default;
                    *usage = default;
                    if (SystemCall(WaitNumber, IdIsDescriptor, descriptor, (nint)information, Exited | AnyKind, (nint)usage) == 0)
                        return true;
                    if (Marshal.GetLastPInvokeError() != Libc.EINTR)
                        return false;
                }
            }
        }
    }

    /// <summary>The largest resident size this process had so far, in bytes.</summary>
    public static long OwnPeakResident
    {
        get
        {
            Usage usage;
            return OwnUsage(0, &usage) == 0 ? usage.PeakKilobytes << 10 : 0;
        }
    }

    static readonly nint WaitNumber = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 95 : 247;

    const int ChildSignal = 17, Ignore = 1;
    const nint IdIsDescriptor = 3, Exited = 4, AnyKind = 0x40000000;

    /// <summary>The part of siginfo_t that waitid(2) fills.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    public struct SignalInformation
    {
        public int Signal, Error, Code, Padding, Id, User, Status;

        public const int ByReturn = 1, BySignal = 2, ByCoreDump = 3;
    }

    /// <summary>struct rusage of getrusage(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Usage
    {
        public long UserSeconds, UserMicroseconds, SystemSeconds, SystemMicroseconds, PeakKilobytes, Unused1, Unused2, Unused3;
        public long MinorFaults, MajorFaults, Swaps, BlocksIn, BlocksOut, MessagesOut, MessagesIn, Signals;
        public long VoluntarySwitches, InvoluntarySwitches;
    }

    // syscall(2) is variadic, but on Linux x64 and arm64 its arguments pass in registers as for a fixed signature.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e);

    [LibraryImport("libc", EntryPoint = "kill")] private static partial int Kill(int id, int signal);

    // struct sigaction begins with the handler in every C library; the rest is only cleared.
    [LibraryImport("libc", EntryPoint = "sigaction", SetLastError = true)] private static partial int SignalAction(int signal, nint* action, nint* old);

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int OwnUsage(int who, Usage* usage);
}
