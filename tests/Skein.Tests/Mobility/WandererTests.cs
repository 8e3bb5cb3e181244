using Skein.Tests.Child;

namespace Skein.Tests.Mobility;

/// <summary>Processes that roam over three nodes and write to each other: whatever two of them are in the middle of, each letter arrives once and in order.</summary>
public class WandererTests
{
    [Fact]
    public async Task Each_letter_arrives_once_and_in_order_while_all_roam()
    {
        var (processes, letters) = Limits.Long ? (100, 500) : (30, 100);
        MobileNode[] nodes = [new("a"), new("b"), new("c")];
        nodes[0].Connect(nodes[1]);
        nodes[1].Connect(nodes[2]);
        nodes[2].Connect(nodes[0]);
        var seed = Environment.TickCount;
        var wanderers = Enumerable.Range(0, processes).Select(i => nodes[i % 3].Start(() => Wanderer.Wander(i, letters, seed + i))).ToArray();
        var ids = wanderers.Select(wanderer => wanderer.Id).ToArray();
        foreach (var wanderer in wanderers)
            wanderer.Send(ids);

        var results = await Task.WhenAll(wanderers.Select(wanderer => wanderer.Completion)).Within(Limits.Long ? 120 : 30);

        Assert.All(results, result => Assert.True(result == $"{letters * processes} letters in order, in 1 operating-system processes", $"seed {seed}: {result}"));
        await Limits.Until(() => nodes.Sum(node => node.Count) == 0, "all nodes to have let go of them");
    }
}
