namespace Skein.Tests.Handover;

/// <summary>Several nodes have heard where a process is, each at another time: what was heard last leads to it.</summary>
public class RouteTests : CalmModel
{
    [Fact]
    public void A_process_that_goes_on_from_an_image_of_before_its_last_move_is_found_though_others_have_heard_of_that_move() => Play(() =>
    {
        var (home, once, now) = (Node("home"), Node("once"), Node("now"));
        var network = new ModelNetwork([home, once, now]);
        Join(network, (once, home), (now, home), (once, now));
        var id = home.Node!.Start(Roam).Id;
        Say(network, home, id, "to once");
        CrashAndStart(network, once);   // where it goes on from an image: it is this node from now on that hears of its moves
        Join(network, (once, home), (once, now));
        Say(network, once, id, "to now");
        CrashAndStart(network, home);
        Join(network, (now, home));
        Join(network, (once, home));   // who has heard of the move says so last

        CrashAndStart(network, now);
        Join(network, (now, home), (once, now));
        while (Time.HasAlarms)
            Time.RingNext();   // where its end was to be heard it is given up
        Say(network, home, id, "hello");
        Assert.Equal(["hello at now"], Noted);
    });

    [Fact]
    public void Letters_go_where_a_process_was_heard_of_last_and_not_where_it_went_first() => Play(() =>
    {
        var (home, next, last) = (Node("home"), Node("next"), Node("last"));
        var network = new ModelNetwork([home, next, last]);
        Join(network, (last, home), (last, next));
        network.Join((home, next));
        var fromNext = network.Arriving.Single(static arriving => arriving.Node.Name == "home").End;
        ComeToRest(network);
        var id = home.Node!.Start(Roam).Id;
        ComeToRest(network);

        home.Node!.Start(() => Write(id, "to next"));
        ComeToRest(network, stuck: fromNext);
        while (fromNext.HasArriving)
            fromNext.TakeNext();   // that it is ready to take it
        ComeToRest(network, stuck: fromNext);   // and that it has it is never heard
        next.Node!.Start(() => Write(id, "to last"));
        ComeToRest(network, stuck: fromNext);
        next.Crash(Calm);
        network.Lose(next, new Nothing());
        next.Start();
        Join(network, (home, next), (last, next));
        Say(network, home, id, "hello");
        Assert.Equal(["hello at last"], Noted);
    });

    static async Mobile Roam()
    {
        await Here.Checkpoint();
        while (true)
        {
            var letter = await Here.Receive<string>();
            if (letter.StartsWith("to ", StringComparison.Ordinal))
                await Here.MoveTo(letter[3..]);
            else
                Here.Resource<List<string>>("world").Add($"{letter} at {Here.Node}");
        }
    }

    static async Mobile Write(string process, string letter)
    {
        Here.Send(process, letter);
        await Here.Yield();
    }

    static void Say(ModelNetwork network, ModelNode from, string process, string letter)
    {
        ComeToRest(network);
        from.Node!.Start(() => Write(process, letter));
        ComeToRest(network);
    }

    /// <summary>Of what a node had said before it crashed nothing arrives.</summary>
    sealed class Nothing : Random
    {
        public override int Next(int maxValue) => 0;
    }
}
