// A pool with a time limit and a memory limit renders pages, and three of them are bad: one hangs, one leaks, one crashes. Each costs
// one page. The others come as if nothing had happened.
//
//   dotnet run samples/pages.cs
//
// Try: Place.Thread in the place of Place.OsProcess. It refuses the memory limit, and without it page 3 is only the beginning.

#:project ../src/Skein
using System.Runtime.InteropServices;
using Skein;

await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new()
{
    Workers = 2,
    TaskTimeout = TimeSpan.FromSeconds(3),
    Grace = TimeSpan.FromMilliseconds(100),   // after the time is up; a page that listens to Here.Stopping could tidy up
    MemoryLimit = 200 << 20,
    OnError = static _ => { },                // what the runtime says of a crash is in Exit.StandardError as well
});

await foreach (var page in pool.MapAsync(Enumerable.Range(1, 9), Render))
    Console.WriteLine($"page {page.Input}: {(page.Succeeded ? page.Value : $"no page, {Reason(page.Error!)}")}");

static string Render(int page) => page switch
{
    3 => Hang(),
    5 => Leak([]),
    7 => Crash(),
    _ => $"the numbers from {page}000 to {page}999 make {Enumerable.Range(page * 1000, 1000).Sum()}",
};

static string Hang()
{
    while (true)
        Thread.SpinWait(1000);
}

static string Leak(List<byte[]> pages)
{
    while (true)
    {
        pages.Add(new byte[1 << 20]);
        pages[^1].AsSpan().Fill(1);   // memory that is not touched costs nothing
    }
}

static string Crash()
{
    Marshal.WriteInt32(0x0BAD_0000, 42);
    return "";
}

static string Reason(Exception error) => error switch
{
    TimeoutException => "it took too long",
    OutOfMemoryException or ProcessLostException { Exit.Cause: ExitCause.OutOfMemory } => "it took too much memory",
    ProcessLostException { Exit.Signal: > 0 and var signal } => $"its process crashed with signal {signal}",
    _ => error.Message,
};
