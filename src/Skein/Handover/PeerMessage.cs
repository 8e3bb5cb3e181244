namespace Skein;

/// <summary>What nodes say to each other.</summary>
enum PeerMessageKind : byte
{
    /// <summary>Number, id of the process, name of the store that keeps it, image.</summary>
    Move = 1,

    /// <summary>Number; whether it was stored there.</summary>
    Ready,

    /// <summary>Number, reason.</summary>
    Refuse,

    /// <summary>Number. From here on it is the other's.</summary>
    Go,

    /// <summary>Number. It stays.</summary>
    Abort,

    /// <summary>Number. It runs there.</summary>
    Done,

    /// <summary>Receiver, sender, number, node that it was sent from, name of an event or nothing, content.</summary>
    Letter = 16,

    /// <summary>Process. It is to end.</summary>
    Kill,

    /// <summary>Process, who asks, number, what is asked.</summary>
    Ask,

    /// <summary>Process, who asked, number. It is not wanted any more.</summary>
    Withdraw,

    /// <summary>Number, answer to an ask.</summary>
    Told,

    /// <summary>Number, what is asked of the node itself.</summary>
    Request,

    /// <summary>Number, what it answers.</summary>
    Response,

    /// <summary>Process, sighting, from where. To the node that it was started at.</summary>
    Moved,

    /// <summary>Process, sighting. From that node, to where it was before: nobody will ask there any more.</summary>
    Known,

    /// <summary>Process, outcome. To the node that it was started at.</summary>
    Ended,

    /// <summary>Process, sighting. To the node that it was started at: it went to a node that has ended.</summary>
    Lost,

    /// <summary>Process, sighting. To the node that its id names: it is here, from an image or since an earlier life of that node.</summary>
    Adopted,

    /// <summary>Process, whether it was lost. To the same: it has ended, or was lost with its node and may come back.</summary>
    Disowned,

    /// <summary>Sender, receiver, number: what the receiver has had for good of the sender's letters.</summary>
    Acknowledge,

    /// <summary>Process. It is asked to end by itself.</summary>
    Stop,
}

/// <summary>Messages as bytes, with room for the header of a frame before them.</summary>
static class PeerMessage
{
    [ThreadStatic]
    static GraphWriter? _writer;

    [ThreadStatic]
    static GraphReader? _reader;

    /// <summary>Begins a message; what follows is written by the caller. One at a time on a thread.</summary>
    public static GraphWriter Begin(PeerMessageKind kind)
    {
        var writer = _writer ??= new(new(withPaths: false));
        writer.Session.Reset();
        writer.Begin(PeerFrame.HeaderLength);
        writer.WriteByte((byte)kind);
        return writer;
    }

    public static byte[] End(this GraphWriter writer) => writer.Written.ToArray();

    public static byte[] Of(PeerMessageKind kind, long number)
    {
        var writer = Begin(kind);
        writer.WriteNumber((ulong)number);
        return writer.End();
    }

    /// <summary>Of primitives only. Valid until the next message is read on this thread.</summary>
    public static (PeerMessageKind Kind, GraphReader Message) Read(byte[] frame)
    {
        var reader = _reader ??= new(new(withPaths: false));
        reader.Begin(frame, PeerFrame.HeaderLength, frame.Length - PeerFrame.HeaderLength);
        return ((PeerMessageKind)reader.ReadByte(), reader);
    }

    /// <summary>What it is about, and that; null where the message is no letter.</summary>
    public static (string Receiver, Letter Letter)? ReadLetter(byte[] frame)
    {
        var (kind, message) = Read(frame);
        if (kind != PeerMessageKind.Letter)
            return null;
        var receiver = message.ReadText();
        message.ReadByte();   // how often it was sent on
        return (receiver, Letter.Read(message));
    }

    /// <summary>Whether the beginning of a message is enough to answer it: a process for which there is no memory is refused.</summary>
    public static bool MayBeCut(ReadOnlySpan<byte> frame) => frame.Length > PeerFrame.HeaderLength && frame[PeerFrame.HeaderLength] == (byte)PeerMessageKind.Move;

    /// <summary>Null where there is no memory for them, or was none when they came.</summary>
    public static byte[]? TryReadBytes(this GraphReader reader, int length)
    {
        try
        {
            return reader.Remaining < length ? null : reader.ReadBytes(length).ToArray();
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    public static long ReadLong(this GraphReader reader) => (long)reader.ReadNumber();

    public static void WriteBytes(this GraphWriter writer, ReadOnlySpan<byte> bytes) => bytes.CopyTo(writer.WriteBytes(bytes.Length));
}
