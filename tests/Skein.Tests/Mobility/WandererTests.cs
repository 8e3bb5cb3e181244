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
        var wanderers = Enumerable.Range(0, processes).Select(i => nodes[i % 3].Start(() => Wander(i, letters, seed + i))).ToArray();
        var ids = wanderers.Select(wanderer => wanderer.Id).ToArray();
        foreach (var wanderer in wanderers)
            wanderer.Send(ids);

        var results = await Task.WhenAll(wanderers.Select(wanderer => wanderer.Completion)).Within(30);

        Assert.All(results, result => Assert.True(result == $"{letters * processes} letters in order", $"seed {seed}: {result}"));
        Assert.Equal(0, nodes.Sum(node => node.Count));
    }

    static async Mobile<string> Wander(int self, int letters, int seed)
    {
        var others = await Here.Receive<string[]>();
        var random = new Random(seed);
        var last = new int[others.Length];
        var received = 0;
        var error = "";

        async Mobile Roam()
        {
            while (received < letters * others.Length)
            {
                await Here.MoveTo(random.Next(3) switch { 0 => "a", 1 => "b", _ => "c" });
                if (random.Next(4) == 0)
                    await Here.Delay(TimeSpan.FromMilliseconds(1));
                else
                    await Here.Yield();
            }
        }

        async Mobile Write()
        {
            for (var letter = 1; letter <= letters; letter++)
            {
                foreach (var other in others)
                    Here.Send(other, (self, letter));
                await Here.Yield();
            }
        }

        async Mobile Read()
        {
            while (received < letters * others.Length)
            {
                var (from, letter) = await Here.Receive<(int, int)>();
                if (letter != last[from] + 1)
                    error += $"{letter} after {last[from]} from {from}; ";
                last[from] = letter;
                received++;
            }
        }

        await Mobile.WhenAll(Roam(), Write(), Read());
        return error.Length > 0 ? error : $"{received} letters in order";
    }
}
