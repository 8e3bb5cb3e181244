using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Makes the names in a folder survive the loss of power: what was created or renamed in it. (.NET opens no folders.)</summary>
[SupportedOSPlatform("linux")]
static partial class FolderSync
{
    const int ReadOnly = 0, CloseOnExec = 0x80000;

    /// <exception cref="IOException">The folder cannot be written through to the disk.</exception>
    public static void Flush(string folder)
    {
        var descriptor = Open(folder, ReadOnly | CloseOnExec);
        if (descriptor < 0)
            throw Failed("open", folder);
        try
        {
            if (Sync(descriptor) < 0)
                throw Failed("fsync", folder);
        }
        finally
        {
            _ = Libc.Close(descriptor);
        }
    }

    static IOException Failed(string call, string folder) => new($"{call}({folder}): {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);
}
