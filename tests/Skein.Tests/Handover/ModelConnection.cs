namespace Skein.Tests.Handover;

/// <summary>One side of a connection whose frames arrive when the model says so, or never.</summary>
sealed class ModelConnection(Peers peers, bool isOurs) : PeerConnection
{
    readonly Queue<byte[]?> _arriving = new();   // null: the end
    ModelConnection _other = null!;

    public override bool IsOurs => isOurs;

    /// <summary>What arrives next, for people.</summary>
    public string Next => _arriving.Peek() is { } frame ? frame[0] == (byte)PeerFrameKind.Message ? $"{(PeerMessageKind)frame[PeerFrame.HeaderLength]}" : $"{(PeerFrameKind)frame[0]}" : "the end";

    public bool IsClosed { get; private set; }

    public bool HasArriving => _arriving.Count > 0;

    public static (ModelConnection, ModelConnection) Join(Peers one, Peers other)
    {
        var (near, far) = (new ModelConnection(one, true), new ModelConnection(other, false));
        (near._other, far._other) = (far, near);
        one.Greet(near);
        other.Greet(far);
        return (near, far);
    }

    public override void Send(byte[] frame)
    {
        if (!_other.IsClosed)
            _other._arriving.Enqueue(frame);
    }

    public override void Close() => Cut(int.MaxValue, int.MaxValue);

    /// <summary>Of what is under way only the first so many frames arrive, on either side.</summary>
    public void Cut(int here, int there)
    {
        End(here);
        _other.End(there);
    }

    public void TakeNext()
    {
        if (_arriving.Dequeue() is { } frame)
            peers.Take(this, frame);
        else
            peers.Break(this);
    }

    void End(int kept)
    {
        if (IsClosed)
            return;
        IsClosed = true;
        var frames = _arriving.Take(kept).ToArray();
        _arriving.Clear();
        foreach (var frame in frames)
            _arriving.Enqueue(frame);
        _arriving.Enqueue(null);
    }
}
