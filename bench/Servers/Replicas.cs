using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Skein.Bench.Servers;

/// <summary>A service of three replicas, behind <see cref="ReplicaHandler"/>: what clients wait while one of them stalls, and what the handler costs.</summary>
static class Replicas
{
    const double Rate = 400;
    static readonly TimeSpan Work = TimeSpan.FromMilliseconds(2), Stall = TimeSpan.FromSeconds(1);

    public static Experiment Stalls(Scale scale)
    {
        var (stall, rest) = (scale.Of(Stall), scale.Of(Stall / 2));
        return new("replicas", $"three replicas that answer in {Work.TotalMilliseconds} ms, {Rate} requests/s; what one waits (p99)", Unit.Milliseconds,
        [
            new Measured("one stalls", "ReplicaHandler, default options; one replica answers nothing for 1 s of 1.5 s", stall, stall + rest),
            new Measured("healthy", "ReplicaHandler, default options", null, rest),
        ],
        [
            new("one stalls", "healthy") { AtLeast = 0.5 },
        ]);
    }

    public static Experiment Cost(Scale scale)
    {
        var count = scale.Of(50_000);
        return new("replicas-cost", "what ReplicaHandler adds to a request, of three replicas that answer at once", Unit.Microseconds,
        [
            new Local("Skein", "default options, an inner handler that answers by itself", async () =>
            {
                var alone = await TimeAsync(new Instant(), count);
                var source = ReplicaSource.List([new("http://127.0.0.1:1"), new("http://127.0.0.1:2"), new("http://127.0.0.1:3")]);
                return await TimeAsync(new ReplicaHandler(source, inner: new Instant()), count) - alone;
            }),
        ],
        [
            new("Skein") { AtMost = 5 },
        ]);
    }

    static async Task<double> TimeAsync(HttpMessageHandler handler, int count)
    {
        using var client = new HttpMessageInvoker(handler);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://service/hello");
            using var answer = await client.SendAsync(request, CancellationToken.None);
            if (answer.StatusCode != HttpStatusCode.OK)
                throw new InvalidDataException($"answered {answer.StatusCode}");
        }

        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / count;
    }

    sealed class Instant : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }

    /// <summary>The replicas and their client, in this program.</summary>
    sealed class Measured(string name, string settings, TimeSpan? stall, TimeSpan time) : Contender(name, settings)
    {
        readonly List<WebApplication> _replicas = [];
        HttpClient? _client;
        Task _stalled = Task.CompletedTask;

        public override async Task StartAsync()
        {
            for (var i = 0; i < 3; i++)
                _replicas.Add(await StartAsync(stalls: i == 0));
            _client = new(new ReplicaHandler(ReplicaSource.List(_replicas.Select(replica => new Uri(replica.Urls.First())))));
            await LoadAsync(TimeSpan.FromMilliseconds(200));   // it learns what is usual
        }

        public override async Task<double> MeasureAsync()
        {
            if (stall is { } length)
                _stalled = Task.Delay(length);
            return HttpLoad.Percentile(await LoadAsync(time), 99);
        }

        public override async ValueTask DisposeAsync()
        {
            _client?.Dispose();
            foreach (var replica in _replicas)
                await replica.DisposeAsync();
        }

        async Task<WebApplication> StartAsync(bool stalls)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            var replica = builder.Build();
            replica.MapGet("/hello", async (HttpContext context) =>
            {
                if (stalls)
                    await _stalled.WaitAsync(context.RequestAborted);
                await Task.Delay(Work, context.RequestAborted);
                return BenchApplication.Hello;
            });
            await replica.StartAsync();
            return replica;
        }

        /// <summary>They come at a rate, however long others wait.</summary>
        async Task<List<double>> LoadAsync(TimeSpan length)
        {
            var (running, began) = (new List<Task<double>>(), Stopwatch.GetTimestamp());
            for (var elapsed = TimeSpan.Zero; elapsed < length; elapsed = Stopwatch.GetElapsedTime(began))
            {
                while (running.Count < elapsed.TotalSeconds * Rate)
                    running.Add(AskAsync());
                await Task.Delay(TimeSpan.FromMilliseconds(1));
            }

            return [.. await Task.WhenAll(running).Within()];
        }

        async Task<double> AskAsync()
        {
            var started = Stopwatch.GetTimestamp();
            var text = await _client!.GetStringAsync("http://service/hello");
            return text == BenchApplication.Hello ? Stopwatch.GetElapsedTime(started).TotalMilliseconds : throw new InvalidDataException($"'{text}' is not the answer");
        }
    }
}
