// Results of a pool in the order of the inputs, and as they come. In order, a slow input holds up those behind it; as they come,
// each is there when it is ready. The work is the same, and so is the time of the last.
//
//   dotnet run samples/results.cs
//
// Try: Workers = 1.

#:project ../src/Skein
using System.Diagnostics;
using Skein;

int[] waits = [900, 100, 600, 300];   // milliseconds
await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = waits.Length });

Console.WriteLine("In order:");
await Show(pool.MapAsync(waits, Work, new() { ChunkSize = 1 }));
Console.WriteLine("As they come:");
await Show(pool.MapUnorderedAsync(waits, Work, new() { ChunkSize = 1 }));

static async Task Show(IAsyncEnumerable<Outcome<int, string>> outcomes)
{
    var started = Stopwatch.GetTimestamp();
    await foreach (var outcome in outcomes)
        Console.WriteLine($"  after {Stopwatch.GetElapsedTime(started).TotalMilliseconds,5:F0} ms   input {outcome.Index}: {outcome.Value}");
}

static string Work(int wait)
{
    Thread.Sleep(wait);
    return $"worked {wait} ms";
}
