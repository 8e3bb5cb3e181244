using System.Collections.Concurrent;

namespace Skein;

/// <summary>The nodes that one knows, and what it has to say to each of them.</summary>
sealed class Peers(string name, long life)
{
    readonly ConcurrentDictionary<string, PeerSession> _sessions = new();
    readonly Lock _gate = new();

    public string Name => name;

    /// <summary>A message has come, after the header of its frame. One at a time of each peer.</summary>
    public required Action<PeerSession, byte[]> OnMessage { get; init; }

    /// <summary>There is a connection with a peer, for the first time or again.</summary>
    public required Action<PeerSession> OnReached { get; init; }

    /// <summary>The connection with a peer is broken; the peer may live.</summary>
    public required Action<PeerSession> OnCut { get; init; }

    /// <summary>A peer does not live any more, and all that it knew is gone. The messages are those that it is not known to have had.</summary>
    public required Action<PeerSession, byte[][]> OnEnded { get; init; }

    public IEnumerable<PeerSession> All => _sessions.Values;

    public PeerSession? Find(string peer) => _sessions.GetValueOrDefault(peer);

    /// <summary>A new connection: each side says who it is.</summary>
    public void Greet(PeerConnection connection) => connection.Send(PeerFrame.Hello(name, life));

    /// <summary>From the connection's transport, one frame after the other. An array is of one frame only, and is kept.</summary>
    /// <param name="connection">It is closed where it is of no use any more. Where there is no memory for what has come it is the transport's to close it.</param>
    /// <param name="frame">All of it, or its beginning.</param>
    /// <param name="isCut">For the rest there was no memory.</param>
    /// <exception cref="OutOfMemoryException">It was not taken: it is said again over the next connection.</exception>
    public void Take(PeerConnection connection, byte[] frame, bool isCut = false)
    {
        try
        {
            if (frame.Length == 0)
                throw new InvalidDataException("A frame without a kind.");
            if (connection.Session is { } session)
                session.Take(connection, frame, isCut);
            else if (frame[0] == (byte)PeerFrameKind.Hello)
                Meet(connection, frame);
            else
                throw new InvalidDataException("A node says who it is before anything else.");
        }
        catch (InvalidDataException)
        {
            connection.Close();   // and another one is made, if it was no more than damaged
        }
    }

    /// <summary>From the connection's transport, after the last frame. Not within <see cref="PeerConnection.Send"/> or <see cref="PeerConnection.Close"/>.</summary>
    public void Break(PeerConnection connection)
    {
        if (connection.Session is { } session && session.Break(connection))
            OnCut(session);
    }

    /// <summary>It is known that a peer has ended.</summary>
    public void End(PeerSession session)
    {
        lock (_gate)
        {
            if (!_sessions.TryRemove(new(session.Name, session)))
                return;
            OnEnded(session, session.End());
        }
    }

    void Meet(PeerConnection connection, byte[] hello)
    {
        var (peer, itsLife) = PeerFrame.ReadHello(hello);
        lock (_gate)
        {
            var known = _sessions.GetValueOrDefault(peer);
            if (peer == name || known?.Life > itsLife || (connection.KnownName ?? peer) != peer)   // this very node, one whose successor is here already, or another than it says
            {
                connection.Close();
                return;
            }
            if (known is null || known.Life < itsLife)
            {
                var last = known;
                var notHad = last?.End();
                known = _sessions[peer] = new(this, peer, itsLife);
                if (last is not null)
                    OnEnded(last, notHad!);   // what is said now is for the next of this name
            }
            known.Connect(connection);
        }
    }
}
