namespace Skein;

/// <summary>
/// What a store has in the place of an image while its process goes from one node to another that has a store of its own: so both know
/// after a crash what they have said.
/// </summary>
/// <param name="Peer">The other node.</param>
/// <param name="Number">Of the hand-over, by the node that the process leaves.</param>
/// <param name="Image">Of a process that is expected; of one that has gone null.</param>
sealed record HandoverRecord(string Peer, long Number, byte[]? Image)
{
    // The first byte; that of an image is another.
    const byte Gone = 0xF1, Expected = 0xF2;

    public static byte[] OfGone(string peer, long number) => Write(Gone, peer, number, []);

    public static byte[] OfExpected(string peer, long number, byte[] image) => Write(Expected, peer, number, image);

    /// <summary>Null for an image.</summary>
    public static HandoverRecord? Read(byte[] stored)
    {
        if (stored.Length == 0 || stored[0] is not (Gone or Expected))
            return null;
        var reader = new GraphReader(new(withPaths: false));
        reader.Begin(stored, 1, stored.Length - 1);
        var (peer, number, image) = (reader.ReadText(), reader.ReadLong(), reader.ReadBytes().ToArray());
        return new(peer, number, stored[0] == Gone ? null : image);
    }

    static byte[] Write(byte kind, string peer, long number, byte[] image)
    {
        var writer = new GraphWriter(new(withPaths: false));
        writer.Begin();
        writer.WriteByte(kind);
        writer.WriteText(peer);
        writer.WriteNumber((ulong)number);
        writer.WriteBytes(image);
        return writer.Written.ToArray();
    }
}
