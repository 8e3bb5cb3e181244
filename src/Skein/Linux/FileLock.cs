using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A lock on one byte of a file that belongs to the open file, not to the process or the thread (OFD lock, fcntl(2)): it may be
/// held across awaits, and the kernel gives it back when its holder dies.
/// </summary>
[SupportedOSPlatform("linux")]
static unsafe class FileLock
{
    const int TryLock = 37;
    const short Exclusive = 1, Unlocked = 2;
    const int EACCES = Libc.EACCES;

    /// <summary>False when another open file has the lock.</summary>
    public static bool TryTake(int descriptor, long offset)
    {
        var region = new Region { Type = Exclusive, Start = offset, Length = 1 };
        while (Libc.Control(descriptor, TryLock, (nint)(&region)) < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is Libc.EAGAIN or EACCES)
                return false;
            if (error != Libc.EINTR)
                throw new LinuxException("fcntl(F_OFD_SETLK)", error);
        }

        return true;
    }

    public static void Release(int descriptor, long offset)
    {
        var region = new Region { Type = Unlocked, Start = offset, Length = 1 };
        _ = Libc.Control(descriptor, TryLock, (nint)(&region));
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Region
    {
        public short Type, Whence;
        public long Start, Length;
        public int Holder;
    }
}
