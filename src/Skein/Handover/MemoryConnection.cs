namespace Skein;

/// <summary>Connects two nodes of one program. What passes is bytes, as between machines; and as there it takes its time.</summary>
sealed class MemoryConnection : PeerConnection, IThreadPoolWorkItem
{
    readonly Queue<byte[]?> _arriving = new();   // null: the end
    readonly Peers _peers;
    MemoryConnection _other = null!;
    bool _isTaking = true;   // until both sides know each other
    bool _isClosed;

    MemoryConnection(Peers peers, bool isOurs)
    {
        _peers = peers;
        IsOurs = isOurs;
    }

    public override bool IsOurs { get; }

    /// <summary>Returns when both know each other.</summary>
    public static MemoryConnection Join(Peers one, Peers other)
    {
        var (near, far) = (new MemoryConnection(one, isOurs: true), new MemoryConnection(other, isOurs: false));
        (near._other, far._other) = (far, near);
        one.Greet(near);
        other.Greet(far);
        while (near.TakeNext() | far.TakeNext())
        {
            // hello and resume, of both sides
        }
        near.Start();
        far.Start();
        return near;
    }

    public override void Send(byte[] frame) => _other.Arrive(frame);

    public override void Close()
    {
        _other.Arrive(null);
        Arrive(null);
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (TakeNext())
        {
            // as long as there are any
        }
        Start();
    }

    void Arrive(byte[]? frame)
    {
        lock (_arriving)
        {
            if (_isClosed)
                return;
            _isClosed = frame is null;
            _arriving.Enqueue(frame);
            if (_isTaking)
                return;
            _isTaking = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    bool TakeNext()
    {
        byte[]? frame;
        lock (_arriving)
        {
            if (!_arriving.TryDequeue(out frame))
                return false;
        }
        if (frame is null)
            _peers.Break(this);
        else
            _peers.Take(this, frame);
        return true;
    }

    /// <summary>From now on whatever arrives is taken by a thread of the pool.</summary>
    void Start()
    {
        lock (_arriving)
        {
            _isTaking = _arriving.Count > 0;
            if (!_isTaking)
                return;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
