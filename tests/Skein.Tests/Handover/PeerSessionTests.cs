namespace Skein.Tests.Handover;

/// <summary>What two nodes say arrives once and in order, also where one of them has no memory for it for a while.</summary>
public sealed class PeerSessionTests
{
    [Fact]
    public void A_message_for_which_there_is_no_memory_is_said_again_over_the_next_connection()
    {
        var heard = new List<byte>();
        var hasMemory = true;
        Peers a = PeersOf("a", static _ => { }), b = PeersOf("b", frame => heard.Add(hasMemory ? frame[^1] : throw new InsufficientMemoryException()));
        var (near, far) = Connect(a, b);
        Say(1);
        far.TakeNext();
        hasMemory = false;
        Say(2);
        Assert.Throws<InsufficientMemoryException>(far.TakeNext);
        far.Close();   // as its transport does
        TakeAll(near, far);
        Say(3);
        hasMemory = true;

        (near, far) = Connect(a, b);

        Assert.Equal([1, 2, 3], heard);

        // Nor is there room for the whole frame.
        var (letter, move) = (Message(PeerMessageKind.Letter, 4), Message(PeerMessageKind.Move, 5));
        Assert.ThrowsAny<OutOfMemoryException>(() => b.Take(far, letter, isCut: true));
        b.Take(far, move, isCut: true);   // can be refused
        Assert.Equal([1, 2, 3, 5], heard);

        void Say(byte what) => a.Find("b")!.Send(Message(PeerMessageKind.Letter, what));
    }

    [Fact]
    public void Nodes_that_ask_each_other_at_once_keep_one_connection_and_hear_of_no_cut()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var (random, heard, cuts) = (new Random(seed), new List<byte>(), 0);
            Peers a = PeersOf("a", static _ => { }, () => cuts++), b = PeersOf("b", frame => heard.Add(frame[^1]), () => cuts++);
            var (ours, theirs) = (ModelConnection.Join(a, b), ModelConnection.Join(b, a));
            ModelConnection[] ends = [ours.Item1, ours.Item2, theirs.Item1, theirs.Item2];
            var said = new List<byte>();
            while (ends.Where(static end => end.HasArriving).ToArray() is { Length: > 0 } some)
            {
                some[random.Next(some.Length)].TakeNext();
                if (said.Count < 3 && random.Next(2) == 0 && a.Find("b") is { } session)
                {
                    said.Add((byte)said.Count);
                    session.Send(Message(PeerMessageKind.Letter, said[^1]));
                }
            }

            Assert.True((cuts, ends.Count(static end => !end.IsClosed)) == (0, 2), $"order {seed}: {cuts} cuts, {ends.Count(static end => !end.IsClosed)} open ends");
            Assert.Equal(said, heard);
        }
    }

    static byte[] Message(PeerMessageKind kind, byte what)
    {
        var message = new byte[PeerFrame.HeaderLength + 2];
        PeerFrame.WriteHeader(message, PeerFrameKind.Message, 0);
        (message[^2], message[^1]) = ((byte)kind, what);
        return message;
    }

    static Peers PeersOf(string name, Action<byte[]> hear, Action? cut = null) => new(name, 1)
    {
        OnMessage = (_, frame) => hear(frame),
        OnReached = static _ => { },
        OnCut = _ => cut?.Invoke(),
        OnEnded = static (_, _) => { },
    };

    static (ModelConnection, ModelConnection) Connect(Peers a, Peers b)
    {
        var (near, far) = ModelConnection.Join(a, b);
        TakeAll(near, far);
        return (near, far);
    }

    static void TakeAll(ModelConnection near, ModelConnection far)
    {
        while (near.HasArriving || far.HasArriving)
            (near.HasArriving ? near : far).TakeNext();
    }
}
