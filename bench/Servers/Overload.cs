namespace Skein.Bench.Servers;

/// <summary>Twice as many requests as 64 threads can serve in 50 ms each, of clients who wait no longer than 500 ms.</summary>
static class Overload
{
    static readonly double Capacity = BenchApplication.Threads / BenchApplication.Block.TotalSeconds;
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public static Experiment Goodput(Scale scale) => new(
        "overload", $"{2 * Capacity:N0} requests/s of 50 ms each for 64 threads, 500 ms of patience: answered in time", Unit.PerSecond,
        [
            new HttpServer("Skein", "Dispatcher(64, queue: 64)", () => ServerProgram.StartOwnAsync("dispatcher"), async server => (await LoadAsync(server, scale)).Answered),
            new HttpServer("Kestrel", "as it is", () => ServerProgram.StartOwnAsync("plain"), async server => (await LoadAsync(server, scale)).Answered),
        ],
        [
            new("Skein") { Reaches = 0.95 * Capacity },
            new("Skein", "Kestrel"),
        ]);

    public static Experiment Refusal(Scale scale) => new(
        "overload-refused", "the same; how soon the others are told (p99)", Unit.Milliseconds,
        [
            new HttpServer("Skein", "Dispatcher(64, queue: 64)", () => ServerProgram.StartOwnAsync("dispatcher"), async server => HttpLoad.Percentile((await LoadAsync(server, scale)).Refusals, 99)),
        ],
        [
            new("Skein") { AtMost = 10 },
        ]);

    static Task<OpenFigures> LoadAsync(ServerProgram server, Scale scale) =>
        OpenLoad.RunAsync(server.EndPoint, "/block", 2 * Capacity, Patience, scale.Of(TimeSpan.FromMilliseconds(500)), after: scale.Of(Patience / 2));
}
