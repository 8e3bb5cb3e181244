namespace Skein.Bench.Servers;

/// <summary>A handler that keeps its thread for 50 ms, 64 clients that ask for it again and again: 1,280 a second is what 64 threads can do.</summary>
static class BlockingHandlers
{
    const int Clients = BenchApplication.Threads;

    static readonly double Possible = Clients / BenchApplication.Block.TotalSeconds;

    public static Experiment Cold(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromSeconds(1));
        return new("blocking-cold", $"50 ms of blocking, {Clients} clients, the first second of a server that has just started", Unit.PerSecond,
        [
            new Local("Skein", "Dispatcher(64, queue: 64)", async () =>
            {
                await using var server = await ServerProgram.StartOwnAsync("dispatcher");
                return await HttpLoad.RunAsync(server.EndPoint, "/block", Clients, time, spread: BenchApplication.Block);
            }),
        ],
        [
            new("Skein") { Reaches = 0.85 * Possible },
        ]);
    }

    public static Experiment Warm(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromMilliseconds(600));
        return new("blocking", $"50 ms of blocking, {Clients} clients, after the first second", Unit.PerSecond, Servers(server =>
            HttpLoad.RunAsync(server.EndPoint, "/block", Clients, time, after: 2 * BenchApplication.Block, spread: BenchApplication.Block)),
        [
            new("Skein") { Reaches = 0.95 * Possible },
            new("Skein", "Kestrel"),
        ]);
    }

    public static Experiment OtherRoute(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromMilliseconds(600));
        return new("blocking-others", $"50 ms of blocking, {Clients} clients; begun one after the other; what a client of another route waits meanwhile (p99)", Unit.Milliseconds, Servers(async server =>
        {
            var latencies = new List<double>();
            var blocking = HttpLoad.RunAsync(server.EndPoint, "/block", Clients, time + BenchApplication.Block, spread: BenchApplication.Block);
            await HttpLoad.RunAsync(server.EndPoint, "/hello", clients: 1, time, latencies: latencies, after: BenchApplication.Block);
            await blocking;
            return latencies.Count == 0 ? double.PositiveInfinity : HttpLoad.Percentile(latencies, 99);
        }),
        [
            new("Skein") { AtMost = 25 },
            new("Skein", "Kestrel"),
        ]);
    }

    static Contender[] Servers(Func<ServerProgram, Task<double>> measure) =>
    [
        new HttpServer("Skein", "Dispatcher(64, queue: 64)", () => ServerProgram.StartOwnAsync("dispatcher"), measure),
        new HttpServer("Kestrel", "as it is", () => ServerProgram.StartOwnAsync("plain"), measure),
    ];
}
