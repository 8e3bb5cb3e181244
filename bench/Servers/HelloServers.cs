namespace Skein.Bench.Servers;

/// <summary>Hello over connections that are kept: by two processes, and by a dispatcher's threads.</summary>
static class HelloServers
{
    const int Clients = 64;

    public static Experiment Prefork(Scale scale)
    {
        var measure = Measure(scale.Of(TimeSpan.FromMilliseconds(600)));
        return new("prefork", $"hello, {Clients} clients, kept connections, 2 processes", Unit.PerSecond,
        [
            new HttpServer("Skein", "skein serve --workers 2", () => ServerProgram.StartPreforkAsync(workers: 2), measure),
            new HttpServer("Kestrel", "the same application in one process", () => ServerProgram.StartOwnAsync("plain"), measure),
            new HttpServer("gunicorn", "-k gthread -w 2 --threads 32", () => ServerPeers.GunicornAsync("gthread", workers: 2, threads: 32), measure),
            new HttpServer("Apache event", "2 processes of 32 threads, a file", () => ServerPeers.ApacheAsync("event"), measure),
            new HttpServer("nginx", "2 workers, a file", () => ServerPeers.NginxAsync(workers: 2), measure),
            new HttpServer("Go", "net/http, all processors", ServerPeers.GoAsync, measure),
        ],
        [
            new("Skein", "Kestrel") { AtLeast = 0.85 },
            new("Skein", "gunicorn") { AtLeast = 5 },
            new("Skein", "Apache event") { AtLeast = 3 },
            new("Skein", "Go"),
            new("Skein", "nginx"),
        ]);
    }

    public static Experiment Dispatcher(Scale scale)
    {
        var measure = Measure(scale.Of(TimeSpan.FromMilliseconds(600)));
        return new("dispatcher", $"hello, {Clients} clients, kept connections, 64 threads", Unit.PerSecond,
        [
            new HttpServer("Skein", "Dispatcher(64, queue: 64)", () => ServerProgram.StartOwnAsync("dispatcher"), measure),
            new HttpServer("Apache worker", "2 processes of 32 threads, a file", () => ServerPeers.ApacheAsync("worker"), measure),
            new HttpServer("gunicorn gthread", "-k gthread -w 1 --threads 64", () => ServerPeers.GunicornAsync("gthread", workers: 1, threads: 64), measure),
        ],
        [
            new("Skein", "Apache worker") { AtLeast = 2 },
            new("Skein", "gunicorn gthread") { AtLeast = 10 },
        ]);
    }

    static Func<ServerProgram, Task<double>> Measure(TimeSpan time) => server => LoadInC.RunAsync(server.EndPoint, "/hello", Clients, time);
}
