using System.Buffers.Binary;
using System.Text;

namespace Skein;

/// <summary>What stands at the beginning of each frame that nodes send each other.</summary>
enum PeerFrameKind : byte
{
    /// <summary>The first of each side: format, name, life.</summary>
    Hello = 1,

    /// <summary>The second: how many messages of the other side this one has had of it, over earlier connections.</summary>
    Resume,

    /// <summary>A message, and how many this side has had.</summary>
    Message,

    /// <summary>The same without a message.</summary>
    Received,
}

/// <summary>
/// <code>
/// Message   3, received u64, message        Received 4, received u64        Resume 2, received u64
/// Hello     1, format u8, life u64, name in UTF-8
/// </code>
/// Little end first. How long a frame is its transport says. The messages of a session are not numbered: they arrive in order, and both sides count.
/// </summary>
static class PeerFrame
{
    /// <summary>Before each message.</summary>
    public const int HeaderLength = 9;

    /// <summary>Nodes with another one do not understand each other.</summary>
    const byte Format = 5;

    public static void WriteHeader(Span<byte> frame, PeerFrameKind kind, long received)
    {
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(frame[1..], received);
    }

    public static byte[] Of(PeerFrameKind kind, long received)
    {
        var frame = new byte[HeaderLength];
        WriteHeader(frame, kind, received);
        return frame;
    }

    public static long Received(ReadOnlySpan<byte> frame) =>
        frame.Length >= HeaderLength ? BinaryPrimitives.ReadInt64LittleEndian(frame[1..]) : throw new InvalidDataException("A frame of a node ends in its header.");

    public static byte[] Hello(string name, long life) => [(byte)PeerFrameKind.Hello, Format, .. BitConverter.GetBytes(life), .. Encoding.UTF8.GetBytes(name)];

    public static (string Name, long Life) ReadHello(ReadOnlySpan<byte> frame)
    {
        if (frame.Length <= 10 || frame[1] != Format)
            throw new InvalidDataException("Whoever is there is no node, or one of another version of Skein.");
        return (Encoding.UTF8.GetString(frame[10..]), BinaryPrimitives.ReadInt64LittleEndian(frame[2..]));
    }
}
