namespace Skein.Bench.Servers;

/// <summary>Hello by an endpoint that runs in worker processes: what it serves beside gunicorn's workers, and what it takes longer than an ordinary one.</summary>
static class IsolatedEndpoints
{
    const int Clients = 16;

    public static Experiment Throughput(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromMilliseconds(600));
        return new("isolated", $"hello by isolated endpoints, 2 worker processes, {Clients} clients", Unit.PerSecond,
        [
            Server("Skein", "RunIn(Place.OsProcess, workers: 2), a connection for each request", StartAsync, "/isolated", keepAlive: false),
            Server("Skein, kept", "the same over connections that are kept", StartAsync, "/isolated", keepAlive: true),
            Server("gunicorn sync", "-k sync -w 2; it keeps no connections", () => ServerPeers.GunicornAsync("sync", workers: 2), "/hello", keepAlive: false),
        ],
        [
            new("Skein", "gunicorn sync") { AtLeast = 2 },
            new("Skein, kept", "gunicorn sync") { AtLeast = 2 },
        ]);

        HttpServer Server(string name, string settings, Func<Task<ServerProgram>> start, string path, bool keepAlive) =>
            new(name, settings, start, server => LoadInC.RunAsync(server.EndPoint, path, Clients, time, keepAlive));
    }

    public static Experiment Latency(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromMilliseconds(600));
        return new("isolated-latency", "what an isolated endpoint takes longer than an ordinary one of the same application, one client (p50)", Unit.Microseconds,
        [
            new HttpServer("Skein", "RunIn(Place.OsProcess, workers: 2), one kept connection", StartAsync, async server =>
                await MedianAsync(server, "/isolated") - await MedianAsync(server, "/hello")),
        ],
        [
            new("Skein") { AtMost = 150 },
        ]);

        async Task<double> MedianAsync(ServerProgram server, string path)
        {
            var latencies = new List<double>();
            await HttpLoad.RunAsync(server.EndPoint, path, clients: 1, time, latencies: latencies);
            return HttpLoad.Percentile(latencies, 50) * 1000;
        }
    }

    /// <summary>Returns when its workers have answered, too.</summary>
    static async Task<ServerProgram> StartAsync()
    {
        var server = await ServerProgram.StartOwnAsync("isolated");
        using var connection = await HttpConnection.ConnectAsync(server.EndPoint);
        HttpLoad.Check(await connection.AskAsync(HttpConnection.Get("/isolated")).AsTask().Within());
        return server;
    }
}
