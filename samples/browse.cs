// A page of twelve parts from a service with three replicas, fetched as a browser does it: several parts at a time, over connections in
// parallel, while the interface answers keys. Then one part after the other, for comparison. In the middle of the first fetch a
// replica is killed, and nobody notices.
//
//   dotnet run samples/browse.cs      type something meanwhile
//
// What to see: the page takes as long as its parts divided by the connections, not as their sum; and of access, location, replication and
// failure the client's code says nothing: it asks http://shop/ for a part.

#:project ../src/Skein.Servers
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Skein;

const int Parts = 12, Connections = 6, Milliseconds = 100;

var replicas = new List<Process<Nothing>>();
var addresses = new List<Uri>();
while (replicas.Count < 3)
{
    var listening = new TaskCompletionSource<string>();
    replicas.Add(await Place.OsProcess.StartAsync(Serve, Callback.To((string address) => listening.TrySetResult(address))));
    addresses.Add(new(await listening.Task));
}

using var client = new HttpClient(new ReplicaHandler(ReplicaSource.List(addresses)));
await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => client.GetStringAsync("http://shop/")));   // connections are made once

var here = 0;
var keys = AnswerKeys();
var killed = KillOne();
var parallel = await Fetch(Connections);
await killed;
Draw($"{Connections} at a time", parallel);
var sequential = await Fetch(1);
Draw("one after the other", sequential);
Console.WriteLine($"The page took {End(parallel):F0} ms instead of {End(sequential):F0} ms; {parallel.Length + sequential.Length} parts of {2 * Parts} came, with one replica of {addresses.Count} killed.");
foreach (var replica in replicas)
    await replica.DisposeAsync();

async Task<Part[]> Fetch(int connections)
{
    var (started, parts) = (Stopwatch.GetTimestamp(), new Part[Parts]);
    Volatile.Write(ref here, 0);
    await Parallel.ForAsync(0, Parts, new ParallelOptions { MaxDegreeOfParallelism = connections }, async (number, cancellation) =>
    {
        var from = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var text = await client.GetStringAsync($"http://shop/part/{number}", cancellation);
        parts[number] = new(text, from, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        Interlocked.Increment(ref here);
    });
    return parts;
}

// Keys are read on a thread that waits for nothing else, so none has to wait for a part.
Thread AnswerKeys()
{
    var thread = new Thread(() =>
    {
        for (int key; (key = Console.IsInputRedirected ? Console.Read() : Console.ReadKey(intercept: true).KeyChar) >= 0;)
        {
            if (!char.IsWhiteSpace((char)key))
                Console.WriteLine($"key '{(char)key}': {Volatile.Read(ref here)} of {Parts} parts are here");
        }
    })
    { IsBackground = true };
    thread.Start();
    return thread;
}

async Task KillOne()
{
    while (Volatile.Read(ref here) < 2)
        await Task.Delay(TimeSpan.FromMilliseconds(1));
    replicas[1].Kill();
}

static double End(Part[] parts) => parts.Max(part => part.To);

static void Draw(string name, Part[] parts)
{
    Console.WriteLine(name);
    foreach (var part in parts)
    {
        int At(double time) => (int)(time / End(parts) * 50);
        Console.WriteLine($"  {part.Text,-8} |{new string('=', At(part.To) - At(part.From) + 1).PadLeft(At(part.To) + 1),-51}| {part.From,5:F0} to {part.To,5:F0} ms");
    }
}

// A replica: each part takes a while, as if it were looked up somewhere.
static async Task Serve(Callback<string, bool> listening)
{
    var builder = WebApplication.CreateEmptyBuilder(new());
    builder.WebHost.UseKestrelCore();
    await using var application = builder.Build();
    application.Urls.Add("http://127.0.0.1:0");
    application.Run(async context =>
    {
        var path = context.Request.Path.Value!;
        if (path.Length > 1)
            await Task.Delay(TimeSpan.FromMilliseconds(Milliseconds), context.RequestAborted);
        await context.Response.WriteAsync(path.TrimStart('/').Replace('/', ' '), context.RequestAborted);
    });
    await application.StartAsync();
    await listening.InvokeAsync(application.Urls.Single());
    await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping);
}

sealed record Part(string Text, double From, double To);
