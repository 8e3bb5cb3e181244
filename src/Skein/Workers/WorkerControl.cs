using System.Buffers.Binary;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>The parent's end of a worker's control socket: what must reach a worker while it is busy.</summary>
[SupportedOSPlatform("linux")]
sealed class WorkerControl(DescriptorSocket socket) : IDisposable
{
    const int Header = 6;   // kind, number, more

    readonly Lock _gate = new();

    /// <summary>Sends a short message. A worker that is gone needs none: nothing happens then.</summary>
    public void Send(WorkerFrame kind, int number, int descriptor = -1) => Send(kind, number, more: false, [], descriptor);

    /// <summary>Sends the answer to a callback, in pieces that fit a message.</summary>
    public void SendAnswer(int request, ReadOnlySpan<byte> answer)
    {
        lock (_gate)
        {
            do
            {
                var length = Math.Min(answer.Length, DescriptorSocket.MaxMessage - Header);
                Send(WorkerFrame.Answer, request, length < answer.Length, answer[..length], -1);
                answer = answer[length..];
            }
            while (!answer.IsEmpty);
        }
    }

    void Send(WorkerFrame kind, int number, bool more, ReadOnlySpan<byte> rest, int descriptor)
    {
        var message = new byte[Header + rest.Length];
        message[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), number);
        message[5] = more ? (byte)1 : (byte)0;
        rest.CopyTo(message.AsSpan(Header));
        try
        {
            lock (_gate)
                socket.Send(message, descriptor);
        }
        catch (LinuxException error) when (error.Error is Libc.EPIPE or 104 or 9)
        {
            // its end is noticed by those who watch it
        }
    }

    /// <summary>The worker's side: takes a message apart.</summary>
    public static (WorkerFrame Kind, int Number, bool More) Parse(ReadOnlySpan<byte> message) =>
        ((WorkerFrame)message[0], BinaryPrimitives.ReadInt32LittleEndian(message[1..]), message[5] != 0);

    /// <summary>What follows the header.</summary>
    public static ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> message) => message[Header..];

    public void Dispose() => socket.Dispose();
}
