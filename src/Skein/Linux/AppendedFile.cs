using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A file that several processes write, each at the end that it has at that moment (O_APPEND): what one call writes stands together, and over
/// nothing. The framework has no such file: what it opens for appending is written where the end was when it was opened.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class AppendedFile : IDisposable
{
    const int WriteOnly = 1, Create = 0x40, AtTheEnd = 0x400, ForAll = 0x1B6;   // 0666, less the umask
    const int MayWrite = 2, MayEnter = 1;

    int _descriptor;

    /// <exception cref="LinuxException">It cannot be opened, or made.</exception>
    public AppendedFile(string path) => _descriptor = Libc.Check(Open(path, WriteOnly | Create | AtTheEnd | Libc.CloseOnExec, ForAll), "open");

    /// <summary>Why this file could not be written, or made; null where it could. Nothing is opened or made.</summary>
    public static string? Obstacle(string path)
    {
        if (Directory.Exists(path))
            return "it is a folder";
        if (Access(path, 0) == 0)
            return Access(path, MayWrite) == 0 ? null : Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
        var folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        return !Directory.Exists(folder) ? $"there is no folder '{folder}'"
            : Access(folder, MayWrite | MayEnter) == 0 ? null
            : $"{folder}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}";
    }

    /// <exception cref="LinuxException">The disk is full, or broken.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (nint written = 0; written < bytes.Length;)
            {
                var count = Libc.Write(_descriptor, start + written, (nuint)(bytes.Length - written));
                if (count >= 0)
                    written += count;
                else if (Marshal.GetLastPInvokeError() != Libc.EINTR)
                    throw LinuxException.Last("write");
            }
        }
    }

    public void Dispose() => Descriptor.Close(ref _descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
