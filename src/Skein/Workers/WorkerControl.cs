using System.Runtime.Versioning;

namespace Skein;

/// <summary>The parent's end of a worker's control socket.</summary>
/// <remarks>
/// A worker that stands still reads nothing, and its socket may be full: who asks it to stop must not wait for it, since it is killed by
/// those who find that it did not stop. So only answers and descriptors wait, and hold up nobody.
/// </remarks>
[SupportedOSPlatform("linux")]
sealed class WorkerControl(DescriptorSocket socket) : ControlSender, IDisposable
{
    const int LookAgain = 100;   // milliseconds

    readonly Lock _gate = new();   // never held across a wait; who has it has an open socket, or sees that there is none
    bool _closed;

    public override bool CarriesDescriptors => true;

    public override void Send(WorkerFrame kind, int number)
    {
        var message = Message(kind, number, more: false, []);
        if (!TrySend(message, -1))
            ThreadPool.UnsafeQueueUserWorkItem(static late => late.Control.SendPatiently(late.Message, -1), (Control: this, Message: message), preferLocal: false);
    }

    public override void SendDescriptor(int number, int descriptor) => SendPatiently(Message(WorkerFrame.Descriptor, number, more: false, []), descriptor);

    /// <summary>In pieces that fit a message.</summary>
    public override void SendAnswer(int request, ReadOnlySpan<byte> answer)
    {
        do
        {
            var length = Math.Min(answer.Length, DescriptorSocket.MaxMessage - Header);
            SendPatiently(Message(WorkerFrame.Answer, request, length < answer.Length, answer[..length]), -1);
            answer = answer[length..];
        }
        while (!answer.IsEmpty);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            socket.Dispose();
        }
    }

    void SendPatiently(byte[] message, int descriptor)
    {
        while (!TrySend(message, descriptor))
            socket.WaitUntilWritable(LookAgain);
    }

    // True also where the worker is gone: its end is noticed by those who watch it.
    bool TrySend(byte[] message, int descriptor)
    {
        try
        {
            lock (_gate)
                return _closed || socket.TrySend(message, canWait: false, descriptor);
        }
        catch (LinuxException error) when (error.Error is Libc.EPIPE or 104 or 9)
        {
            return true;
        }
    }
}
