using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Waiting on a word of shared memory, and waking who waits there (futex(2); shared between processes).</summary>
[SupportedOSPlatform("linux")]
static unsafe partial class Futex
{
    const int Wait = 0, WakeOperation = 1;

    static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 98 : 202;

    /// <summary>Sleeps while the word is <paramref name="expected"/>, until woken or until the time is up (null: no limit). May wake without a cause.</summary>
    public static void Sleep(uint* word, uint expected, TimeSpan? limit = null)
    {
        if (limit is { } time)
        {
            var spec = new TimeSpec { Seconds = time.Ticks / TimeSpan.TicksPerSecond, Nanoseconds = time.Ticks % TimeSpan.TicksPerSecond * 100 };
            SystemCall(Number, word, Wait, (nint)expected, &spec, null, 0);
        }
        else
        {
            SystemCall(Number, word, Wait, (nint)expected, null, null, 0);
        }
    }

    /// <summary>Wakes up to <paramref name="count"/> sleepers.</summary>
    public static void Wake(uint* word, int count = int.MaxValue) => SystemCall(Number, word, WakeOperation, count, null, null, 0);

    // syscall(2) is variadic, but on Linux x64 and arm64 its arguments pass in registers as for a fixed signature.
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, uint* word, nint operation, nint value, TimeSpec* limit, void* second, nint third);

    [StructLayout(LayoutKind.Sequential)]
    struct TimeSpec
    {
        public long Seconds, Nanoseconds;
    }
}
