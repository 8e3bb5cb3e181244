using System.Runtime.Versioning;

namespace Skein;

/// <summary>The parent's end of a worker's control socket.</summary>
[SupportedOSPlatform("linux")]
sealed class WorkerControl(DescriptorSocket socket) : ControlSender, IDisposable
{
    readonly Lock _gate = new();

    public override bool CarriesDescriptors => true;

    public override void Send(WorkerFrame kind, int number) => Send(Message(kind, number, more: false, []), -1);

    public override void SendDescriptor(int number, int descriptor) => Send(Message(WorkerFrame.Descriptor, number, more: false, []), descriptor);

    /// <summary>In pieces that fit a message.</summary>
    public override void SendAnswer(int request, ReadOnlySpan<byte> answer)
    {
        lock (_gate)
        {
            do
            {
                var length = Math.Min(answer.Length, DescriptorSocket.MaxMessage - Header);
                Send(Message(WorkerFrame.Answer, request, length < answer.Length, answer[..length]), -1);
                answer = answer[length..];
            }
            while (!answer.IsEmpty);
        }
    }

    void Send(byte[] message, int descriptor)
    {
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

    public void Dispose() => socket.Dispose();
}
