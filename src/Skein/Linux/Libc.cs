using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The system calls Skein uses, by area: this file holds what they share. Imports are source-generated and blittable, so a call
/// costs about 10 ns over the system call itself. Every failing call becomes a <see cref="LinuxException"/> that names it.
/// </summary>
[SupportedOSPlatform("linux")]
static unsafe partial class Libc
{
    const string Library = "libc";

    /// <summary>The result of a call, or the exception that names the call and its error.</summary>
    public static nint Check(nint result, string call) => result >= 0 ? result : throw LinuxException.Last(call);

    /// <inheritdoc cref="Check(nint, string)"/>
    public static int Check(int result, string call) => result >= 0 ? result : throw LinuxException.Last(call);

    /// <summary>
    /// Whether one of these events comes to a descriptor before the time is over; below zero: it waits for ever. A signal that comes
    /// meanwhile ends the call, and not the wait.
    /// </summary>
    public static bool IsReadyWithin(int descriptor, short events, int milliseconds)
    {
        var look = new PollDescriptor(descriptor, events);
        var started = TimeProvider.System.GetTimestamp();
        var left = milliseconds;
        int ready;
        while ((ready = Poll(&look, 1, left)) < 0 && Marshal.GetLastPInvokeError() == EINTR)
        {
            if (milliseconds > 0)
                left = Math.Max(0, milliseconds - (int)TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
        }

        return ready > 0;
    }

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)] public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)] public static partial nint Read(int descriptor, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)] public static partial nint Write(int descriptor, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)] public static partial int Pipe(int* descriptors, int flags);

    [LibraryImport(Library, EntryPoint = "dup2", SetLastError = true)] public static partial int Duplicate(int descriptor, int target);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)] public static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)] public static partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor(int descriptor, short events)
    {
        public int Descriptor = descriptor;
        public short Events = events;
        public short Returned;
    }

    public const short PollIn = 1, PollOut = 4, PollError = 8, PollHangUp = 16;
    public const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    public const int EINTR = 4, EAGAIN = 11, EPIPE = 32, EMFILE = 24, ENOSPC = 28, ESRCH = 3, ENOENT = 2, EACCES = 13, ETIMEDOUT = 110;
}
