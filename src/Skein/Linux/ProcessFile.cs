using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Reads the small files of /proc and /sys by plain system calls: they say neither how long they are nor that they have vanished
/// before they are read, and a <see cref="FileStream"/> for each of hundreds is slow.
/// </summary>
[SupportedOSPlatform("linux")]
static unsafe partial class ProcessFile
{
    /// <summary>How many bytes were read; -1 where the file cannot be opened or read. A longer file is cut off.</summary>
    public static int Read(string path, Span<byte> buffer)
    {
        var descriptor = Open(path, Libc.CloseOnExec, 0);
        if (descriptor < 0)
            return -1;
        var total = 0;
        fixed (byte* bytes = buffer)
        {
            while (total < buffer.Length)
            {
                var length = (int)Libc.Read(descriptor, bytes + total, (nuint)(buffer.Length - total));
                if (length < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR)
                    continue;
                if (length < 0)
                    total = -1;
                if (length <= 0)
                    break;
                total += length;
            }
        }

        _ = Libc.Close(descriptor);
        return total;
    }

    /// <summary>The descriptor of a file or folder.</summary>
    public static int Open(string path, int flags) => Libc.Check(Open(path, flags, 0), $"open of {path}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);
}
