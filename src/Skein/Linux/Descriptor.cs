using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Open descriptors: second ones for the same thing, and their end.</summary>
[SupportedOSPlatform("linux")]
static unsafe partial class Descriptor
{
    const int DuplicateCloseOnExec = 1030, SetFlags = 4, ReadWrite = 2;

    /// <summary>A second descriptor of the same open file: flags, position and locks are shared.</summary>
    public static int Duplicate(int descriptor) =>
        Libc.Check(Libc.Control(descriptor, DuplicateCloseOnExec, 0), "fcntl(F_DUPFD_CLOEXEC)");

    /// <summary>The same file opened once more, also when it has no name any more: locks are its own.</summary>
    public static int Reopen(int descriptor) =>
        Libc.Check(Open($"/proc/self/fd/{descriptor}", ReadWrite | Libc.CloseOnExec, 0), "open of /proc/self/fd");

    /// <summary>From now on calls that would have to wait fail with EAGAIN, for every holder of this open file.</summary>
    public static void NeverWait(int descriptor) => Libc.Check(Libc.Control(descriptor, SetFlags, Libc.NonBlocking), "fcntl(F_SETFL)");

    public static void Close(ref int descriptor)
    {
        if (Interlocked.Exchange(ref descriptor, -1) is >= 0 and var open)
            _ = Libc.Close(open);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);
}
