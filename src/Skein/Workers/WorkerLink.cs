using System.Runtime.Versioning;

namespace Skein;

/// <summary>The way from a worker to its parent.</summary>
abstract class WorkerLink
{
    /// <summary>Sends one message. By one thread at a time.</summary>
    public abstract void Send(ReadOnlySpan<byte> message);

    /// <summary>Shows the parent which item of a chunk runs, without a message. False where that needs one.</summary>
    public virtual bool Show(int item) => false;
}

/// <summary>Through the ring of results; which item runs is a word beside it.</summary>
[SupportedOSPlatform("linux")]
sealed class RingLink(WorkerMemory memory) : WorkerLink
{
    readonly RingSender _sender = new(memory.Results);

    public override void Send(ReadOnlySpan<byte> message) => _sender.Send(message);

    public override bool Show(int item)
    {
        memory.RunningItem = item;
        return true;
    }
}

/// <summary>Over a stream of bytes.</summary>
sealed class StreamLink(FrameStream frames) : WorkerLink
{
    public override void Send(ReadOnlySpan<byte> message)
    {
        try
        {
            frames.Write(FrameKind.Message, 0, message);
        }
        catch (IOException)
        {
            // The parent has gone; the thread that listens to it ends this process.
        }
    }
}
