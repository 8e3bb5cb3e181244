using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Who is at the other end of a Unix socket, by the word of the kernel.</summary>
[SupportedOSPlatform("linux")]
static unsafe partial class PeerCredentials
{
    /// <summary>The user of this process.</summary>
    public static int Own { get; } = EffectiveUser();

    public static (int Process, int User) Of(int socket)
    {
        var credentials = stackalloc int[3];
        var length = 3u * sizeof(int);
        Libc.Check(GetOption(socket, 1, Credentials, credentials, &length), "getsockopt(SO_PEERCRED)");
        return (credentials[0], credentials[1]);
    }

    const int Credentials = 17;

    [LibraryImport("libc", EntryPoint = "geteuid")] private static partial int EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(int socket, int level, int name, void* value, uint* length);
}
