namespace Skein;

/// <summary>
/// What two nodes say to each other as long as both live: messages arrive once and in order, over one connection after another. What a
/// connection has lost when it broke is said again over the next, so to whoever sends a cut is nothing but a delay.
/// </summary>
sealed class PeerSession(Peers peers, string name, long life)
{
    /// <summary>A side that only listens says so often what it has had: seldom enough to cost little, often enough that the other keeps little.</summary>
    const int ReceivedEvery = 32, ReceivedEveryBytes = 256 * 1024;

    readonly Lock _taking = new();    // before _sending
    readonly Lock _sending = new();
    readonly Queue<byte[]> _sent = new();   // until the peer says that it has them
    readonly List<PeerConnection> _others = [];   // of which the peer may not know yet that this is none that is used
    PeerConnection? _connection;
    bool _isOpen, _hasEnded;
    long _had;        // of ours, by the peer
    long _received;   // of the peer's, here
    int _unsaid, _unsaidBytes;

    public string Name => name;

    /// <summary>A program that starts processes here and is no node: nothing goes there.</summary>
    public bool IsGuest => name.Contains('/');   // no node is named so

    /// <summary>Which of the nodes that have had this name, one after the other. Later ones are greater.</summary>
    public long Life => life;

    /// <summary>Whether the last connection was one between machines, or could have been.</summary>
    public bool IsRemote { get; private set; }

    /// <summary>Whether there was a connection.</summary>
    public bool WasReached { get; set; }

    /// <summary>Whether there is a connection now, on which the peer has said who it is.</summary>
    public bool IsConnected
    {
        get
        {
            lock (_sending)
                return _connection is not null;
        }
    }

    /// <summary>Whether what is said is on its way at once.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_sending)
                return _isOpen;
        }
    }

    /// <summary>From any thread. False where the peer has ended: it was for nobody.</summary>
    /// <param name="message">With room for the header before it. It is kept.</param>
    public bool Send(byte[] message)
    {
        lock (_sending)
        {
            if (_hasEnded)
                return false;
            _sent.Enqueue(message);
            if (_isOpen)
                Transmit(message);
            return true;
        }
    }

    /// <summary>A connection on which the peer has said who it is.</summary>
    public void Connect(PeerConnection connection)
    {
        lock (_taking)   // so that what came over the last one has been counted
        {
            lock (_sending)
            {
                connection.Session = this;
                if (_connection is { } last && last != connection)
                {
                    var isBetter = IsBetter(connection, last);
                    _others.Add(isBetter ? last : connection);
                    if (!isBetter)
                    {
                        if (_isOpen)
                            CloseOthers();
                        return;
                    }
                }
                IsRemote = connection.KnownName is not null;
                _connection = connection;
                _isOpen = false;
                connection.Send(PeerFrame.Of(PeerFrameKind.Resume, _received));
            }
        }
    }

    /// <summary>One frame after the other, as they come.</summary>
    /// <exception cref="InvalidDataException">The connection is of no use any more.</exception>
    /// <exception cref="OutOfMemoryException">The message was not taken.</exception>
    public void Take(PeerConnection connection, byte[] frame, bool isCut)
    {
        lock (_taking)
        {
            if (connection != _connection)
                return;
            switch ((PeerFrameKind)frame[0])
            {
                case PeerFrameKind.Resume:
                    GoOn(PeerFrame.Received(frame));
                    peers.OnReached(this);
                    break;
                case PeerFrameKind.Received:
                    Forget(PeerFrame.Received(frame));
                    break;
                case PeerFrameKind.Message:
                    Forget(PeerFrame.Received(frame));
                    TakeMessage(frame, isCut);
                    SayReceived(frame.Length);
                    break;
                default:
                    throw new InvalidDataException($"Node {name} says what is not known here ({frame[0]}).");
            }
        }
    }

    /// <summary>One for which there is no memory now is said again over the next connection; where its beginning says enough, that is taken for it.</summary>
    void TakeMessage(byte[] frame, bool isCut)
    {
        if (isCut && !PeerMessage.MayBeCut(frame))
            throw new InsufficientMemoryException($"There is no memory for a message of node {name}.");
        var isTaken = true;
        try
        {
            peers.OnMessage(this, frame);
        }
        catch (OutOfMemoryException)
        {
            isTaken = false;
            throw;
        }
        finally
        {
            if (isTaken)
                _received++;
        }
    }

    /// <summary>True if this was the connection.</summary>
    public bool Break(PeerConnection connection)
    {
        lock (_sending)
        {
            if (_connection != connection)
                return false;
            _connection = null;
            _isOpen = false;
            CloseOthers();
            return true;
        }
    }

    /// <summary>The peer does not live any more: what was for it is for nobody.</summary>
    /// <returns>What it is not known to have had.</returns>
    public byte[][] End()
    {
        lock (_sending)
        {
            _hasEnded = true;
            _isOpen = false;
            _connection?.Close();
            _connection = null;
            CloseOthers();
            var notHad = _sent.ToArray();
            _sent.Clear();
            return notHad;
        }
    }

    /// <summary>Where both have asked at once, both keep the same one: that of the node whose name comes first.</summary>
    bool IsBetter(PeerConnection connection, PeerConnection last) =>
        connection.IsOurs == last.IsOurs || connection.IsOurs == string.CompareOrdinal(peers.Name, name) < 0;

    /// <summary>Not before the peer has taken the one that both keep: it would take the end of the other for a cut.</summary>
    void CloseOthers()
    {
        foreach (var other in _others)
            other.Close();
        _others.Clear();
    }

    void GoOn(long received)
    {
        lock (_sending)
        {
            Forget(received);
            _isOpen = true;
            CloseOthers();
            foreach (var message in _sent)
                Transmit((byte[])message.Clone());   // the last connection may still read the other
        }
    }

    void Forget(long received)
    {
        lock (_sending)
        {
            if (received < _had || received > _had + _sent.Count)
                throw new InvalidDataException($"Node {name} has had {received} messages, it says; it was sent {_had + _sent.Count}.");
            for (; _had < received; _had++)
                _sent.Dequeue();
        }
    }

    void SayReceived(int length)
    {
        lock (_sending)
        {
            _unsaidBytes += length;
            if (++_unsaid < ReceivedEvery && _unsaidBytes < ReceivedEveryBytes || !_isOpen)
                return;
            (_unsaid, _unsaidBytes) = (0, 0);
            _connection!.Send(PeerFrame.Of(PeerFrameKind.Received, _received));
        }
    }

    void Transmit(byte[] message)
    {
        PeerFrame.WriteHeader(message, PeerFrameKind.Message, Volatile.Read(ref _received));
        (_unsaid, _unsaidBytes) = (0, 0);
        _connection!.Send(message);
    }
}
