// The same work by three calculators: one after the other and at the same time; as threads, as OS processes, and behind a network
// connection. They compute, and they wait. A time line shows who ran when, a table at the end what it took.
//
//   dotnet run samples/places.cs
//   dotnet run samples/places.cs -- 400000 500       counts the primes below 400,000; waits 500 ms
//
// What to see: computing at the same time pays as far as there are processors, waiting always does. A thread is made soonest and is
// smallest; a process costs most and shares nothing; a connection asks a server that is there already.

#:project ../src/Skein
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Skein;

const int Calculators = 3;
var (below, milliseconds) = (args.Length > 0 ? int.Parse(args[0]) : 200_000, args.Length > 1 ? int.Parse(args[1]) : 200);

var opened = new TaskCompletionSource<int>();
await using var server = await Place.OsProcess.StartAsync(Serve, Callback.To((int port) => opened.TrySetResult(port)));
var port = await opened.Task;
var columns = new (string Name, Func<Work, Task<Run>> Calculate)[]
{
    ("thread", work => RunIn(Place.Thread, work)),
    ("OS process", work => RunIn(Place.OsProcess, work)),
    ("network", work => Ask(port, work)),
};
foreach (var (_, calculate) in columns)
    await calculate(new("computing", below));   // the first has code to compile; a new OS process always has

var table = new List<(string Row, IEnumerable<string> Cells)>();
Series[] computing = [], waiting = [];
foreach (var work in new Work[] { new("computing", below), new("waiting", milliseconds) })
{
    foreach (var order in new[] { "one after the other", "at the same time" })
    {
        var series = new Series[columns.Length];
        for (var column = 0; column < columns.Length; column++)
            series[column] = await Measure(columns[column].Calculate, work, order == "at the same time");

        Console.WriteLine($"{work.Name}, {order}");
        for (var column = 0; column < columns.Length; column++)
            Draw(columns[column].Name, series[column], longest: series.Max(each => each.Length));
        table.Add(($"{work.Name}, {order}", series.Select(each => $"{each.Length:F0} ms")));
        computing = work.Name == "computing" && order == "one after the other" ? series : computing;
        waiting = series;
    }
}

table.Add(("creation of one", computing.Select(each => $"{each.Runs.Min(run => run.From - run.Asked):F2} ms")));
table.Add(("memory of one", waiting.Select(each => $"{each.Memory / Calculators / 1e6:F2} MB")));
Console.WriteLine($"\n{"",-30}{string.Concat(columns.Select(column => $"{column.Name,12}"))}");
foreach (var (row, cells) in table)
    Console.WriteLine($"{row,-30}{string.Concat(cells.Select(cell => $"{cell,12}"))}");

static async Task<Series> Measure(Func<Work, Task<Run>> calculate, Work work, bool together)
{
    var (before, started) = (MemoryInUse(), Now());
    var (runs, most) = (new List<Task<Run>>(), before);
    for (var number = 0; number < Calculators; number++)
    {
        runs.Add(calculate(work));
        if (!together)
            await runs[^1];
    }

    var all = Task.WhenAll(runs);
    while (work.Name == "waiting" && await Task.WhenAny(all, Task.Delay(TimeSpan.FromMilliseconds(20))) != all)
        most = Math.Max(most, MemoryInUse());   // while they wait it disturbs nobody
    return new(await all, started, Now() - started, most - before);
}

static async Task<Run> RunIn(Place place, Work work)
{
    var asked = Now();
    await using var process = await place.StartAsync(Calculate, work);
    return await process.Completion with { Asked = asked };
}

static async Task<Run> Ask(int port, Work work)
{
    var asked = Now();
    using var client = new TcpClient();
    await client.ConnectAsync(IPAddress.Loopback, port);
    await using var stream = client.GetStream();
    await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(work));
    client.Client.Shutdown(SocketShutdown.Send);
    return (await JsonSerializer.DeserializeAsync<Run>(stream))! with { Asked = asked };
}

static async Task Serve(Callback<int, bool> opened)
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    await opened.InvokeAsync(((IPEndPoint)listener.LocalEndpoint).Port);
    while (true)
        await Place.Thread.StartAsync(Answer, await listener.AcceptTcpClientAsync(Here.Stopping));   // each connection its own thread
}

static void Answer(TcpClient client)
{
    using (client)
        JsonSerializer.Serialize(client.GetStream(), Calculate(JsonSerializer.Deserialize<Work>(client.GetStream())!));
}

static Run Calculate(Work work)
{
    var from = Now();
    var result = work.Size;
    if (work.Name == "waiting")
        Thread.Sleep(work.Size);
    else
        result = Enumerable.Range(2, work.Size - 2).Count(number => !Enumerable.Range(2, (int)Math.Sqrt(number) - 1).Any(divisor => number % divisor == 0));
    return new(result, 0, from, Now());
}

static void Draw(string name, Series series, double longest)
{
    foreach (var run in series.Runs)
    {
        var (from, to) = (run.From - series.Started, run.To - series.Started);
        int At(double time) => (int)(time / longest * 50);
        Console.WriteLine($"  {name,-10} |{new string('=', At(to) - At(from) + 1).PadLeft(At(to) + 1),-51}| {from,5:F0} to {to,5:F0} ms: {run.Result}");
    }
}

// Milliseconds on a clock that all processes of a machine share; those of two machines would not.
static double Now() => Stopwatch.GetTimestamp() * 1000.0 / Stopwatch.Frequency;

// Bytes of this process and those it started; a page that several of them share is divided among them.
static double MemoryInUse() => Directory.GetDirectories("/proc").Sum(process =>
{
    try
    {
        var parent = File.ReadAllText($"{process}/stat").Split(')')[^1].Split(' ')[2];
        if (parent != $"{Environment.ProcessId}" && process != $"/proc/{Environment.ProcessId}")
            return 0;
        return double.Parse(File.ReadLines($"{process}/smaps_rollup").First(line => line.StartsWith("Pss:"))[4..^2]) * 1024;
    }
    catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidOperationException)
    {
        return 0;   // no process, not ours, or gone meanwhile
    }
});

sealed record Work(string Name, int Size);

sealed record Run(int Result, double Asked, double From, double To);

sealed record Series(Run[] Runs, double Started, double Length, double Memory);
