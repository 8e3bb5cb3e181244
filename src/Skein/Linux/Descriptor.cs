using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Open descriptors: second ones for the same thing, and their end.</summary>
[SupportedOSPlatform("linux")]
static unsafe partial class Descriptor
{
    const int DuplicateCloseOnExec = 1030, SetFlags = 4, GetFlags = 1, ReadWrite = 2;

    /// <summary>A second descriptor of the same open file: flags, position and locks are shared.</summary>
    public static int Duplicate(int descriptor) =>
        Libc.Check(Libc.Control(descriptor, DuplicateCloseOnExec, 0), "fcntl(F_DUPFD_CLOEXEC)");

    /// <summary>The same file opened once more, also when it has no name any more: locks are its own.</summary>
    public static int Reopen(int descriptor) =>
        Libc.Check(Open($"/proc/self/fd/{descriptor}", ReadWrite | Libc.CloseOnExec, 0), "open of /proc/self/fd");

    /// <summary>
    /// Whether a standard stream is what this process was started with. Where it was closed, the runtime has opened something of its own in
    /// its place: what that is, an execve closes.
    /// </summary>
    public static bool IsInherited(int descriptor) => Libc.Control(descriptor, GetFlags, 0) == 0;

    /// <summary>From now on calls that would have to wait fail with EAGAIN, for every holder of this open file.</summary>
    public static void NeverWait(int descriptor) => Libc.Check(Libc.Control(descriptor, SetFlags, Libc.NonBlocking), "fcntl(F_SETFL)");

    /// <summary>
    /// A pipe that programs we start do not inherit. Refused like any descriptor too many while a few are still left: the runtime needs
    /// some for each thread it starts, and aborts the whole process when it gets none.
    /// </summary>
    public static (int Read, int Write) Pipe()
    {
        var ends = stackalloc int[2];
        Libc.Check(Libc.Pipe(ends, Libc.CloseOnExec), "pipe2");
        if (!IsReserved(ends[1]))
            return (ends[0], ends[1]);
        _ = Libc.Close(ends[0]);
        _ = Libc.Close(ends[1]);
        throw new LinuxException("pipe2", Libc.EMFILE);
    }

    /// <summary>One of the last that this process may have: close it again, they are for the runtime.</summary>
    public static bool IsReserved(int descriptor) => descriptor >= Most - Reserve;

    /// <summary>Whether the next one would not be of the last; opens none where the latest was far from them.</summary>
    /// <param name="latest">The one that was opened last by whoever asks.</param>
    /// <param name="any">Any open one.</param>
    public static bool IsLeft(int latest, int any)
    {
        var most = Most;
        if (latest < most - 4 * Reserve)
            return true;
        var next = Libc.Control(any, DuplicateCloseOnExec, 0);
        if (next >= 0)
            _ = Libc.Close(next);
        return next >= 0 && next < most - Reserve;
    }

    const long Reserve = 16;

    // Asked each time: prlimit(1) changes it for a program that runs.
    static long Most
    {
        get
        {
            var limits = stackalloc long[2];
            return Limit(7 /* RLIMIT_NOFILE */, limits) == 0 && limits[0] > 0 ? limits[0] : long.MaxValue;
        }
    }

    public static void Close(ref int descriptor)
    {
        if (Interlocked.Exchange(ref descriptor, -1) is >= 0 and var open)
            _ = Libc.Close(open);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")] private static partial int Limit(int resource, long* limits);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);
}
