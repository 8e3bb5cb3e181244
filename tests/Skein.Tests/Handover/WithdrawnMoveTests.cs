namespace Skein.Tests.Handover;

/// <summary>Somebody asks a process to move and does not want it any more, while it is on its way elsewhere.</summary>
public class WithdrawnMoveTests : CalmModel
{
    [Fact]
    public void A_move_that_was_withdrawn_while_its_process_was_on_its_way_is_not_carried_out() => Play(() =>
    {
        var (here, elsewhere, asked) = (Node("here"), Node("there"), Node("where"));
        var network = new ModelNetwork([here, elsewhere, asked]);
        network.Join((here, elsewhere));
        var answers = network.Arriving.Single(static arriving => arriving.Node.Name == "here").End;
        Join(network, (here, asked), (elsewhere, asked));
        var process = here.Node!.Start(Roam);
        ComeToRest(network);
        process.Raise("go", true);
        ComeToRest(network, stuck: answers);   // it was offered, and nobody here has heard that the other is ready

        var move = process.MoveToAsync("where", TimeSpan.FromSeconds(1));
        Time.RingNext();
        Assert.ThrowsAsync<CannotMoveException>(() => move.Within()).GetAwaiter().GetResult();
        ComeToRest(network);
        Assert.Equal(["there"], Noted);
        Assert.True(elsewhere.Has(process.Id));
    });

    static async Mobile Roam()
    {
        await Here.Event<bool>("go");
        await Here.MoveTo("there");
        Here.Resource<List<string>>("world").Add(Here.Node!);
        await Here.Event<bool>("never");
    }
}
