namespace Skein;

/// <summary>
/// A connection of two nodes while it lasts: frames of bytes, whole and in order. It may break at any moment, and then nobody knows which
/// of the last frames arrived: that is the business of <see cref="PeerSession"/>. Each kind of transport is one of these.
/// </summary>
abstract class PeerConnection
{
    /// <summary>Whether this side asked for it, and the other accepted.</summary>
    public abstract bool IsOurs { get; }

    /// <summary>Who the other side is known to be, before it says its name; null where whoever can connect may say any.</summary>
    public virtual string? KnownName => null;

    /// <summary>Of whom it is, once the other side has said its name.</summary>
    public PeerSession? Session { get; set; }

    /// <summary>From any thread; neither blocks nor calls back. After the end of the connection it does nothing.</summary>
    /// <param name="frame">It is kept, and nobody changes it.</param>
    public abstract void Send(byte[] frame);

    /// <summary>From any thread; does not call back. Frames that were sent before may be lost.</summary>
    public abstract void Close();
}
