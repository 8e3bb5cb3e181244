namespace Skein.Tests.Child;

/// <summary>A process that roams over nodes a, b and c, writes to all of its kind, and reads what they write: each letter once, and in order.</summary>
public static class Wanderer
{
    /// <param name="self">Its number.</param>
    /// <param name="letters">How many it writes to each, itself included.</param>
    /// <param name="seed">Of its way.</param>
    /// <param name="places">In how many operating-system processes it must have been at least.</param>
    public static async Mobile<string> Wander(int self, int letters, int seed, int places = 1)
    {
        var others = await Here.Receive<string[]>();
        var random = new Random(seed);
        var last = new int[others.Length];
        var received = 0;
        var error = "";
        var seen = new HashSet<int>();

        async Mobile Roam()
        {
            while (received < letters * others.Length || seen.Count < places)
            {
                await Here.MoveTo(random.Next(3) switch { 0 => "a", 1 => "b", _ => "c" });
                seen.Add(Environment.ProcessId);
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
        return error.Length > 0 ? error : $"{received} letters in order, in {seen.Count} operating-system processes";
    }
}
