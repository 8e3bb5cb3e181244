namespace Skein.Tests.Handover;

/// <summary>Nodes of a model in which nothing is left to chance: what happens is what a test lets happen.</summary>
public abstract class CalmModel
{
    private protected ModelTime Time { get; } = new();

    /// <summary>What processes have noted: they reach it as the resource "world".</summary>
    protected List<string> Noted { get; } = [];

    protected static Random Calm { get; } = new NoChance();

    private protected ModelNode Node(string name)
    {
        var node = new ModelNode(name, Time, Noted);
        node.Start();
        return node;
    }

    private protected static void Join(ModelNetwork network, params (ModelNode One, ModelNode Other)[] pairs)
    {
        foreach (var (one, other) in pairs)
            network.Join(string.CompareOrdinal(one.Name, other.Name) < 0 ? (one, other) : (other, one));
        ComeToRest(network);
    }

    private protected static void CrashAndStart(ModelNetwork network, ModelNode node)
    {
        node.Crash(Calm);
        network.Lose(node, Calm);
        node.Start();
        ComeToRest(network);
    }

    /// <summary>Until nothing is left to be done. Time stands still.</summary>
    /// <param name="network">All there is.</param>
    /// <param name="stuck">An end where nothing arrives.</param>
    private protected static void ComeToRest(ModelNetwork network, ModelConnection? stuck = null)
    {
        for (var isAtRest = false; !isAtRest;)
        {
            isAtRest = true;
            foreach (var node in network.Nodes)
            {
                for (; node.CanRun; isAtRest = false)
                    node.RunOne(Calm);
                for (; node.CanStore; isAtRest = false)
                    node.Store.WriteNext(Calm);
            }
            for (; network.Arriving.FirstOrDefault(arriving => arriving.End != stuck).End is { } end; isAtRest = false)
                end.TakeNext();
        }
    }

    /// <summary>What waits for the store goes on on this thread.</summary>
    protected static void Play(Action test)
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
    sealed class NoChance : Random
    {
        public override int Next(int maxValue) => maxValue - 1;
    }
}
