using System.Runtime.InteropServices;
using System.Text;

namespace Skein;

/// <summary>Sockets of one machine that have a name and no file: it is gone with whoever listens (unix(7), "abstract").</summary>
static unsafe partial class SocketCalls
{
    const int LongestName = 100;

    /// <summary>Listens for connections that keep the bounds of messages and can pass descriptors.</summary>
    public static int ListenLocal(string name)
    {
        var socket = Libc.Check(Create(Unix, SequencedPacket | CloseOnExec, 0), "socket");
        var address = stackalloc byte[3 + LongestName];
        if (Bind(socket, address, Format(name, address)) >= 0 && Listen(socket, 128) >= 0)
            return socket;
        var error = LinuxException.Last($"bind to @{name}");
        _ = Libc.Close(socket);
        throw error;
    }

    public static int ConnectedLocal(string name)
    {
        var socket = Libc.Check(Create(Unix, SequencedPacket | CloseOnExec, 0), "socket");
        var address = stackalloc byte[3 + LongestName];
        if (Connect(socket, address, Format(name, address)) >= 0)
            return socket;
        var error = LinuxException.Last($"connect to @{name}");
        _ = Libc.Close(socket);
        throw error;
    }

    /// <summary>Wakes whoever waits for a connection here. The socket is still to be closed.</summary>
    public static void ListenNoMore(int listener) => _ = Shutdown(listener, 2);

    /// <summary>Whether there is something to receive, or the end, before the time is over; below zero: it waits for ever.</summary>
    public static bool IsReadableWithin(int socket, int milliseconds) => Libc.IsReadyWithin(socket, Libc.PollIn, milliseconds);

    static uint Format(string name, byte* address)
    {
        *(ushort*)address = Unix;
        address[2] = 0;   // what makes it a name and no file
        return (uint)(3 + Encoding.ASCII.GetBytes(name, new Span<byte>(address + 3, LongestName)));
    }

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)] private static partial int Shutdown(int socket, int how);
}
