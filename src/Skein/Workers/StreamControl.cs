namespace Skein;

/// <summary>Control messages as frames of the stream that carries the calls too.</summary>
sealed class StreamControl : ControlSender
{
    /// <summary>The stream, once the worker has connected.</summary>
    public FrameStream? Frames { get; set; }

    readonly OrderedQueue _later = new();

    public override bool CarriesDescriptors => false;

    // Whoever asks a worker to stop must not wait until it reads on: it may stand still.
    public override void Send(WorkerFrame kind, int number)
    {
        var message = Message(kind, number, more: false, []);
        _later.Add(() => Send(message));
    }

    public override void SendDescriptor(int number, int descriptor) => throw new NotSupportedException("A stream of bytes carries no descriptors.");

    public override void SendAnswer(int request, ReadOnlySpan<byte> answer) => Send(Message(WorkerFrame.Answer, request, more: false, answer));

    /// <summary>Sends any message. One that cannot be sent because the worker is gone is not missed: its end is noticed by those who watch it.</summary>
    public void Send(ReadOnlySpan<byte> message)
    {
        try
        {
            Frames?.Write(FrameKind.Message, 0, message);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // as said
        }
    }
}
