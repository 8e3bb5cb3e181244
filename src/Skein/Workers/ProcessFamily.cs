using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A worker and all that it starts, as one thing that can be ended: on Unix a process group, on Windows a job object, which ends with the
/// last handle to it, and so with the worker however that ends.
/// </summary>
static partial class ProcessFamily
{
    public const int SigKill = 9, SigTerm = 15;

    /// <summary>This process is the first of a family of its own; what it starts belongs to it.</summary>
    public static void Found()
    {
        if (OperatingSystem.IsWindows())
            JobObject.Found();
        else
            _ = SetGroup(0, 0);   // refused only to one that leads a session, and so has a group of its own already
    }

    /// <summary>Ends this process's family, itself included.</summary>
    public static void End()
    {
        if (!OperatingSystem.IsWindows())
            _ = SendSignal(0, SigKill);
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    /// <summary>Ends what a worker that has ended left behind. On Windows its job has done it.</summary>
    public static void EndRemains(int worker)
    {
        if (!OperatingSystem.IsWindows())
            _ = SendSignal(-worker, SigKill);
    }

    [UnsupportedOSPlatform("windows")]
    public static int Signal(int process, int signal) => SendSignal(process, signal);

    /// <summary>What this process has used until now.</summary>
    public static ResourceUse OwnUse()
    {
        using var self = Process.GetCurrentProcess();
        return UseOf(self);
    }

    /// <summary>What a process has used; throws when it has ended and the system has forgotten it.</summary>
    public static ResourceUse UseOf(Process process) =>
        new(process.UserProcessorTime, process.PrivilegedProcessorTime, Math.Max(process.PeakWorkingSet64, process.WorkingSet64), false, 0, 0, 0, 0);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "setpgid")] private static partial int SetGroup(int process, int group);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "kill")] private static partial int SendSignal(int process, int signal);
}

/// <summary>The job object of a worker.</summary>
[SupportedOSPlatform("windows")]
static unsafe partial class JobObject
{
    const int ExtendedLimits = 9;            // JobObjectExtendedLimitInformation
    const uint KillOnClose = 0x2000;         // JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE

    static nint _job;   // open as long as the process

    /// <summary>Puts this process into a job that ends with it. Where the system refuses, the parent still kills the tree.</summary>
    public static void Found()
    {
        _job = Create(0, 0);
        var limits = new Limits { Flags = KillOnClose };
        if (_job != 0 && Set(_job, ExtendedLimits, &limits, (uint)sizeof(Limits)) != 0)
            _ = Assign(_job, CurrentProcess());
    }

    // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    [StructLayout(LayoutKind.Sequential)]
    struct Limits
    {
        public long ProcessTime, JobTime;
        public uint Flags;
        public nuint LeastWorkingSet, MostWorkingSet;
        public uint MostProcesses;
        public nuint Affinity;
        public uint Priority, Scheduling;
        public ulong Reads, Writes, Others, BytesRead, BytesWritten, BytesOther;
        public nuint ProcessMemory, JobMemory, PeakProcessMemory, PeakJobMemory;
    }

    [LibraryImport("kernel32", EntryPoint = "CreateJobObjectW")] private static partial nint Create(nint attributes, nint name);

    [LibraryImport("kernel32", EntryPoint = "SetInformationJobObject")] private static partial int Set(nint job, int kind, Limits* limits, uint length);

    [LibraryImport("kernel32", EntryPoint = "AssignProcessToJobObject")] private static partial int Assign(nint job, nint process);

    [LibraryImport("kernel32", EntryPoint = "GetCurrentProcess")] private static partial nint CurrentProcess();
}
