namespace Skein.Tests.Handover;

/// <summary>
/// Letters to a process go by the node where it was started, or by one that it has left. Its own node crashes, and what these had sent on must not be lost with it,
/// though the node of the sender has never met that one.
/// </summary>
public class ForwardedLetterTests
{
    readonly ModelTime _time = new();
    readonly List<string> _read = [];
    readonly Calm _calm = new();

    [Fact]
    public void A_letter_that_was_had_and_not_stored_is_asked_for_again_by_the_node_where_its_receiver_was_started() => Play(() =>
    {
        var (home, writers, readers) = (Node("home"), Node("a"), Node("b"));
        var network = new ModelNetwork([home, writers, readers]);
        Join(network, (writers, home), (readers, home));
        var id = home.Node!.Start(static () => Read("b")).Id;
        var writer = home.Node!.Start(() => Write(id, "a"));
        ComeToRest(network);
        writer.Raise("write", true);
        ComeToRest(network);
        Assert.Equal(["letter"], _read);
        network.Cut((readers, home), _calm);
        Join(network, (readers, home));   // both know now that it was had

        CrashAndStart(network, readers);
        Assert.Equal(["letter"], _read);
        Join(network, (readers, home));
        Assert.Equal(["letter", "letter"], _read);   // the first was read in a life that was not stored
    });

    [Fact]
    public void A_letter_that_was_not_had_is_asked_for_again_by_the_node_that_its_receiver_has_left() => Play(() =>
    {
        var (between, home, writers, readers) = (Node("between"), Node("home"), Node("a"), Node("b"));
        var network = new ModelNetwork([between, home, writers, readers]);
        Join(network, (writers, home), (between, home), (readers, between));
        var id = home.Node!.Start(static () => Read("between", "b")).Id;
        var writer = home.Node!.Start(() => Write(id, "a"));
        ComeToRest(network);
        CrashAndStart(network, readers);
        writer.Raise("write", true);
        ComeToRest(network);
        Assert.Empty(_read);   // it waits where nobody knows of the end yet

        Join(network, (readers, between), (readers, home));
        Assert.Equal(["letter"], _read);
    });

    static async Mobile Read(params string[] way)
    {
        foreach (var node in way)
            await Here.MoveTo(node);
        await Here.Checkpoint();
        Here.Resource<List<string>>("world").Add(await Here.Receive<string>());
        await Here.Event<bool>("never");
    }

    static async Mobile Write(string reader, string node)
    {
        await Here.MoveTo(node);
        await Here.Event<bool>("write");
        Here.Send(reader, "letter");
        await Here.Event<bool>("never");
    }

    ModelNode Node(string name)
    {
        var node = new ModelNode(name, _time, _read);
        node.Start();
        return node;
    }

    void Join(ModelNetwork network, params (ModelNode One, ModelNode Other)[] pairs)
    {
        foreach (var (one, other) in pairs)
            network.Join(string.CompareOrdinal(one.Name, other.Name) < 0 ? (one, other) : (other, one));
        ComeToRest(network);
    }

    void CrashAndStart(ModelNetwork network, ModelNode node)
    {
        node.Crash(_calm);
        network.Lose(node, _calm);
        node.Start();
        ComeToRest(network);
    }

    /// <summary>Until nothing is left to be done. Time stands still.</summary>
    void ComeToRest(ModelNetwork network)
    {
        for (var isAtRest = false; !isAtRest;)
        {
            isAtRest = true;
            foreach (var node in network.Nodes)
            {
                for (; node.CanRun; isAtRest = false)
                    node.RunOne(_calm);
                for (; node.CanStore; isAtRest = false)
                    node.Store.WriteNext(_calm);
            }
            for (; network.Arriving.Any(); isAtRest = false)
                network.Drain();
        }
    }

    /// <summary>What waits for the store goes on on this thread.</summary>
    static void Play(Action test)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            test();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>No disk is full, and of what a node had said before it crashed all arrives.</summary>
    sealed class Calm : Random
    {
        public override int Next(int maxValue) => maxValue - 1;
    }
}
