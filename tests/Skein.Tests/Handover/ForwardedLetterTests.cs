namespace Skein.Tests.Handover;

/// <summary>
/// Letters to a process go by the node where it was started, or by one that it has left. Its own node crashes, and what these had sent on must not be lost with it,
/// though the node of the sender has never met that one.
/// </summary>
public class ForwardedLetterTests : CalmModel
{
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
        Assert.Equal(["letter"], Noted);
        network.Cut((readers, home), Calm);
        Join(network, (readers, home));   // both know now that it was had

        CrashAndStart(network, readers);
        Assert.Equal(["letter"], Noted);
        Join(network, (readers, home));
        Assert.Equal(["letter", "letter"], Noted);   // the first was read in a life that was not stored
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
        Assert.Empty(Noted);   // it waits where nobody knows of the end yet

        Join(network, (readers, between), (readers, home));
        Assert.Equal(["letter"], Noted);
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
}
