namespace Skein;

/// <summary>What carries the items of a channel. One word chooses; the rest of the program stays as it is.</summary>
public enum ChannelKind
{
    /// <summary>Memory of this process, by reference: between threads only. The fastest, and the one that cannot be sent to another process.</summary>
    Memory,

    /// <summary>A pipe of the kernel in packet mode.</summary>
    Pipe,

    /// <summary>A pair of Unix sockets that keep message boundaries.</summary>
    UnixSocket,

    /// <summary>A ring in memory that both processes map: no system call while both sides run.</summary>
    SharedMemory,

    /// <summary>A POSIX message queue. A user may have about nine of them at once (<c>RLIMIT_MSGQUEUE</c>).</summary>
    MessageQueue,

    /// <summary>A mailbox in a file that both processes lock in turn.</summary>
    LockedFile,

    /// <summary>A TCP connection, opened with a secret that a stranger does not know.</summary>
    Tcp,

    /// <summary>UDP datagrams: an item is one datagram of at most 65,000 bytes, and it may be lost. Never out of order, never twice.</summary>
    Udp,
}
