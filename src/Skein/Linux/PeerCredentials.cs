using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Who is at the other end of a Unix socket, by the word of the kernel. The mode of the socket's file says the same; a folder that was copied, or a system that ignores it, does not.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="UserId">The effective one, when it connected.</param>
[SupportedOSPlatform("linux")]
readonly unsafe partial record struct PeerCredentials(int ProcessId, int UserId)
{
    /// <summary>The user of this process.</summary>
    public bool AreOurs => UserId == UserAccount.EffectiveUser();

    /// <summary>The user of this process, or root.</summary>
    public bool MayControl => AreOurs || UserId == 0;

    public static PeerCredentials Of(Socket socket) => Of((int)socket.Handle);

    public static PeerCredentials Of(int socket)
    {
        var credentials = stackalloc int[3];
        var length = 3u * sizeof(int);
        Libc.Check(GetOption(socket, SocketLevel, Credentials, credentials, &length), "getsockopt(SO_PEERCRED)");
        return new(credentials[0], credentials[1]);
    }

    const int SocketLevel = 1, Credentials = 17;

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(int socket, int level, int name, void* value, uint* length);
}
