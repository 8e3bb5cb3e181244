using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Skein.Bench.Servers;

/// <summary>Small calls over loopback TCP, 32 in flight: an object behind an interface, beside JSON over HTTP. Both have client and server in this program.</summary>
[SupportedOSPlatform("linux")]
static class ObjectCalls
{
    const int InFlight = 32;

    public static Experiment Create(Scale scale) => new("object-calls", "small calls over loopback, 32 in flight", Unit.PerSecond,
    [
        new Objects(scale.Of(50_000)),
        new Json(scale.Of(20_000)),
    ],
    [
        new("Skein", "JSON, Kestrel") { AtLeast = 3 },
    ]);

    static async Task<double> MeasureAsync(int count, Func<int, Task<Sum>> call)
    {
        await RunAsync(count / 10, call);
        var started = Stopwatch.GetTimestamp();
        await RunAsync(count, call);
        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    static Task RunAsync(int count, Func<int, Task<Sum>> call)
    {
        var next = 0;
        return Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            for (int n; (n = Interlocked.Increment(ref next)) <= count;)
            {
                if (await call(n) is not { Total: var total, Note: "sum" } || total != n + 1)
                    throw new InvalidDataException("the answer is not the sum");
            }
        }));
    }

    public sealed record Sum(int Total, string Note);

    public sealed record Pair(int A, int B);

    public interface ICalculator
    {
        Task<Sum> AddAsync(Pair pair);
    }

    sealed class Calculator : ICalculator
    {
        public Task<Sum> AddAsync(Pair pair) => Task.FromResult(new Sum(pair.A + pair.B, "sum"));
    }

    sealed class Objects(int count) : Contender("Skein", "ObjectClient and ObjectServer, a secret, one connection, objects of 32 names on the thread pool")
    {
        ObjectServer? _server;
        ObjectClient? _client;

        public override async Task StartAsync()
        {
            var options = new ObjectServerOptions { Secret = "bench" };
            _server = await ObjectServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), new ObjectCatalog().Add<ICalculator>(_ => new Calculator()), options);
            _client = await ObjectClient.ConnectAsync(_server.EndPoint, new() { Secret = "bench" });
        }

        public override Task<double> MeasureAsync()
        {
            var calculators = Enumerable.Range(0, InFlight).Select(i => _client!.Get<ICalculator>($"{i}")).ToArray();
            return ObjectCalls.MeasureAsync(count, n => calculators[n % InFlight].AddAsync(new(n, 1)));
        }

        public override async ValueTask DisposeAsync()
        {
            await _client!.DisposeAsync();
            await _server!.DisposeAsync();
        }
    }

    sealed class Json(int count) : Contender("JSON, Kestrel", "slim minimal API and HttpClient with System.Text.Json, HTTP/1.1, defaults, no log")
    {
        readonly HttpClient _client = new();
        WebApplication? _server;

        public override async Task StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            _server = builder.Build();
            _server.MapPost("/calculators/{name}/add", (string name, Pair pair) => new Sum(pair.A + pair.B, "sum"));
            await _server.StartAsync();
            _client.BaseAddress = new(_server.Urls.First());
        }

        public override Task<double> MeasureAsync() => ObjectCalls.MeasureAsync(count, async n =>
        {
            using var answer = await _client.PostAsJsonAsync($"/calculators/{n % InFlight}/add", new Pair(n, 1));
            return (await answer.Content.ReadFromJsonAsync<Sum>())!;
        });

        public override async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await _server!.DisposeAsync();
        }
    }
}
