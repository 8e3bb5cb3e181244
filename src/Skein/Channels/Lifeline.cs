using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// One side of a pair of sockets between all writers and all readers of a channel. It carries no items: a byte on it wakes the other
/// side, and its end of file says that nobody is left there, however they ended. A futex could do only the first.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class Lifeline(int descriptor) : IDisposable
{
    static readonly byte[] Bell = [1];

    /// <summary>Fewer than a socket holds (some 270), more than ends that take bells in one moment.</summary>
    const int LeftForOthers = 64;

    int _descriptor = descriptor;

    public int Descriptor => _descriptor;

    public static (Lifeline Readers, Lifeline Writers) Pair()
    {
        var (first, second) = SocketCalls.Pair(SocketCalls.SequencedPacket);
        return (new(first), new(second));
    }

    /// <summary>Wakes the other side. When the socket is full, it has a wake-up to come anyway.</summary>
    public void Ring() => _ = SocketCalls.Send(_descriptor, Bell);

    /// <summary>Takes what has been rung; true when nobody is left at the other side.</summary>
    /// <param name="isShared">
    /// Other ends of this side, maybe in other processes, have the same socket. The kernel wakes all of them, but tells only those that
    /// still find something to read: so some bells stay there, and each new one is then heard by everybody.
    /// </param>
    public bool Drain(bool isShared)
    {
        Span<byte> bell = stackalloc byte[1];
        if (isShared)
        {
            while (SocketCalls.Unread(_descriptor) > LeftForOthers && SocketCalls.Receive(_descriptor, bell) > 0)
            {
            }

            return SocketCalls.HasEnded(_descriptor);
        }

        int received;
        while ((received = SocketCalls.Receive(_descriptor, bell)) > 0)
        {
        }

        return received != -Libc.EAGAIN;
    }

    public void Dispose() => Skein.Descriptor.Close(ref _descriptor);
}
