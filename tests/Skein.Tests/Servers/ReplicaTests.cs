using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>Several servers look like one that is never slow, sick or gone.</summary>
public sealed class ReplicaTests
{
    [Fact]
    public async Task Requests_spread_over_the_replicas_and_arrive_as_they_were_sent()
    {
        await using var servers = await Replicas.StartAsync(3, async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Headers["X-Tag"]} {context.Request.ContentType} {await reader.ReadToEndAsync()}");
        });
        using var client = servers.Client(new() { HedgeAfter = Timeout.InfiniteTimeSpan }); // a slow one would count twice
        foreach (var method in new[] { HttpMethod.Put, HttpMethod.Post })
        {
            for (var i = 0; i < 50; i++)
            {
                using var request = new HttpRequestMessage(method, $"http://shop/cart/{i}?q=a%20b") { Content = new StringContent($"body {i}") };
                request.Headers.Add("X-Tag", $"t{i}");
                using var response = await client.SendAsync(request).Within();
                Assert.Equal($"{method} /cart/{i}?q=a%20b t{i} text/plain; charset=utf-8 body {i}", await response.Content.ReadAsStringAsync());
                Assert.Equal($"http://shop/cart/{i}?q=a%20b", response.RequestMessage?.RequestUri?.OriginalString);
            }
        }

        Assert.All(servers.Counts, count => Assert.InRange(count, 10, 60));
        Assert.Equal(100, servers.Counts.Sum());
    }

    [Fact]
    public async Task The_replica_with_less_to_do_is_chosen_and_connections_are_parallel()
    {
        var gate = new Gate();
        await using var servers = await Replicas.StartAsync(2, _ => gate.PassAsync());
        using var client = servers.Client();
        var waiting = new List<Task<HttpResponseMessage>>();
        for (var i = 0; i < 20; i++)
        {
            waiting.Add(client.PostAsync("http://shop/", null));
            await Limits.Until(() => gate.Inside == i + 1, "the request to arrive");
        }

        Assert.Equal([10, 10], servers.Counts);
        gate.Open();
        Assert.All(await Task.WhenAll(waiting).Within(), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public async Task A_replica_that_is_killed_is_not_noticed()
    {
        var processes = new List<Process<Nothing>>();
        var addresses = new List<Uri>();
        for (var i = 0; i < 3; i++)
        {
            var listening = new TaskCompletionSource<string>();
            processes.Add(await Place.OsProcess.StartAsync(ServeAsync, Callback.To((string address) => listening.TrySetResult(address))));
            addresses.Add(new(await listening.Task.Within(30)));
        }

        using var client = new HttpClient(new ReplicaHandler(ReplicaSource.List(addresses), new() { RetryBudget = 1 })) { Timeout = Limits.Seconds(10) };
        var (answered, killed) = (0, new TaskCompletionSource());
        await Parallel.ForAsync(0, 8, async (_, token) =>
        {
            for (var i = 0; i < 100; i++)
            {
                Assert.Equal("here", await client.GetStringAsync("http://shop/", token));
                if (Interlocked.Increment(ref answered) == 200)
                {
                    processes[1].Kill();
                    killed.SetResult();
                }
            }
        }).Within(30);
        await killed.Task.Within();
        Assert.Equal(800, answered);
        foreach (var process in processes)
            await process.DisposeAsync();
    }

    [Fact]
    public async Task A_replica_that_stalls_is_overtaken_and_told_that_nobody_waits_for_it()
    {
        var (stalled, told) = (new Gate(), 0);
        await using var servers = await Replicas.StartAsync(3, async context =>
        {
            if (Replicas.NumberOf(context) != 0)
                return;
            context.RequestAborted.Register(() => Interlocked.Increment(ref told));
            await stalled.PassAsync(context.RequestAborted);
        });
        using var client = servers.Client(new() { HedgeAfter = Limits.Seconds(0.05), RetryBudget = 1 });
        await Limits.Until(async () =>
        {
            using var response = await client.GetAsync("http://shop/").Within();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return servers.Handler!.Ejected.Contains(servers.Addresses[0]);
        }, () => "the stalled replica to be ejected: it is always overtaken");

        Assert.InRange(stalled.Entered, 3, int.MaxValue);
        await Limits.Until(() => told == stalled.Entered, "the stalled replica to be told");
        stalled.Open();
    }

    [Fact]
    public async Task A_request_that_may_not_be_repeated_is_sent_once()
    {
        await using var servers = await Replicas.StartAsync(3, context =>
        {
            context.Response.StatusCode = context.Request.Path == "/busy" ? 503 : 200;
            if (context.Request.Path == "/break")
                context.Abort();
            return Task.CompletedTask;
        });
        using var client = servers.Client();
        using var busy = await client.PostAsync("http://shop/busy", new StringContent("x")).Within();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, busy.StatusCode);
        Assert.Equal(1, servers.Counts.Sum());
        await Assert.ThrowsAsync<HttpRequestException>(() => client.PostAsync("http://shop/break", new StringContent("x")).Within());
        Assert.Equal(2, servers.Counts.Sum());

        using var keyed = new HttpRequestMessage(HttpMethod.Post, "http://shop/busy") { Content = new StringContent("x"), Headers = { { "Idempotency-Key", "7" } } };
        using var tried = await client.SendAsync(keyed).Within();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, 5), (tried.StatusCode, servers.Counts.Sum()));   // all three
    }

    [Fact]
    public async Task What_could_not_be_sent_goes_to_another_replica_whatever_it_is()
    {
        await using var servers = await Replicas.StartAsync(1, _ => Task.CompletedTask);
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));   // and does not listen: refused
        var nobody = new Uri($"http://{closed.LocalEndPoint}");
        using var client = new HttpClient(new ReplicaHandler(ReplicaSource.List(nobody, servers.Addresses[0])));
        for (var i = 0; i < 40; i++)
        {
            using var response = await client.PostAsync("http://shop/", new StringContent("x")).Within();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        using var hopeless = new HttpClient(new ReplicaHandler(ReplicaSource.List(nobody)));
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => hopeless.GetAsync("http://shop/").Within());
        Assert.Contains($"shop has not answered. Asked: {nobody.Authority}.", error.Message, StringComparison.Ordinal);
        using var empty = new HttpClient(new ReplicaHandler(ReplicaSource.List()));
        using var unknown = new HttpClient(new ReplicaHandler(ReplicaSource.Dns(new("http://shop.invalid:80"))));
        var nameless = await Assert.ThrowsAsync<HttpRequestException>(() => unknown.GetAsync("http://shop/").Within());
        Assert.StartsWith("shop has no replicas: no address is known of shop.invalid (", nameless.Message, StringComparison.Ordinal);
        Assert.IsType<SocketException>(nameless.InnerException);
        Assert.Contains("its list is empty", (await Assert.ThrowsAsync<HttpRequestException>(() => empty.GetAsync("http://shop/").Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_service_says_goes_before_the_error_of_a_replica_that_is_not_there()
    {
        await using var servers = await Replicas.StartAsync(1, context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));   // and does not listen: refused
        for (var i = 0; i < 20; i++)   // either of them is first
        {
            using var client = new HttpClient(new ReplicaHandler(ReplicaSource.List(new($"http://{closed.LocalEndPoint}"), servers.Addresses[0])));
            using var response = await client.GetAsync("http://shop/").Within();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("", "/x?y=1", "/x?y=1")]
    [InlineData("/base/", "/x?y=1", "/base/x?y=1")]
    [InlineData("/base", "/", "/base/")]
    [InlineData("", "//elsewhere/x", "//elsewhere/x")]   // a path, and no host
    public async Task The_path_of_a_replicas_address_comes_before_the_requests(string address, string path, string asked)
    {
        await using var servers = await Replicas.StartAsync(1, context => context.Response.WriteAsync($"{context.Request.Path}{context.Request.QueryString}"));
        using var client = new HttpClient(new ReplicaHandler(ReplicaSource.List(new Uri($"http://127.0.0.1:{servers.Addresses[0].Port}{address}"))));
        Assert.Equal(asked, await client.GetStringAsync($"http://shop{path}").Within());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("/health")]
    public async Task A_sick_replica_is_ejected_and_comes_back_when_it_is_well(string? probe)
    {
        var isSick = true;
        var asked = 0;
        await using var servers = await Replicas.StartAsync(2, context =>
        {
            if (Replicas.NumberOf(context) == 0)
            {
                if (context.Request.Path != "/health")
                    Interlocked.Increment(ref asked);
                context.Response.StatusCode = Volatile.Read(ref isSick) ? 500 : 200;
            }

            return Task.CompletedTask;
        });
        using var client = servers.Client(new() { EjectionTime = TimeSpan.FromMilliseconds(500), EjectionWindow = TimeSpan.FromSeconds(30), ProbePath = probe, HedgeAfter = Timeout.InfiniteTimeSpan });
        await Limits.Until(() => AskAsync() && servers.Handler!.Ejected.Count == 1, "the sick one to be ejected");
        Assert.Equal([servers.Addresses[0]], servers.Handler!.Ejected);
        var before = asked;
        await Limits.Until(() => AskAsync() && asked > before || probe is not null, "a probe");
        Assert.Single(servers.Handler.Ejected);   // still sick

        Volatile.Write(ref isSick, false);
        await Limits.Until(() => AskAsync() && servers.Handler.Ejected.Count == 0, "it to come back");

        bool AskAsync()
        {
            using var response = client.Send(new(HttpMethod.Get, "http://shop/"));
            return true;
        }
    }

    [Fact]
    public async Task A_service_that_fails_altogether_is_not_loaded_more_by_its_clients_efforts()
    {
        await using var servers = await Replicas.StartAsync(3, context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        using var client = servers.Client(new() { RetryBudget = 0.1, HedgeAfter = Timeout.InfiniteTimeSpan });   // hedges have a budget of their own
        for (var i = 0; i < 200; i++)
        {
            using var response = await client.GetAsync("http://shop/").Within();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }

        Assert.InRange(servers.Counts.Sum(), 201, 200 + 20 + 10);
        Assert.Equal(servers.Counts.Sum() - 200, servers.Handler!.ResentCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_replica_that_is_overtaken_is_blamed_for_it_only_where_the_other_is_well(bool isWell)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1:1/");
        var replica = new Replica(request.RequestUri!, new());
        for (var i = 0; i < 10 && !replica.IsEjected; i++)
        {
            var attempt = new Attempt(replica, request, static async (_, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return new();
            }, false, TimeProvider.System, CancellationToken.None);
            attempt.Overtake(counts: isWell);
            await Assert.ThrowsAnyAsync<Exception>(() => attempt.Answer.Within());
        }

        Assert.Equal(isWell, replica.IsEjected);
    }

    [Fact]
    public async Task A_slow_time_leaves_enough_to_hide_a_replica_that_fails_after_it()
    {
        const int Slow = 60;
        var sick = -1;
        await using var servers = await Replicas.StartAsync(3, async context =>
        {
            if (context.Request.Path == "/slow")
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, context.RequestAborted);
            else if (context.Connection.LocalPort == sick)
                context.Abort();
        });
        using var client = servers.Client(new() { HedgeAfter = TimeSpan.FromMilliseconds(1), RetryBudget = 0.01 });
        for (var i = 0; i < Slow; i++)
            (await client.GetAsync("http://shop/slow").Within()).Dispose();
        Assert.Equal(10, servers.Handler!.HedgedCount);   // until nothing was left

        var ejected = servers.Handler.Ejected;   // being overtaken counts
        var resent = servers.Handler.ResentCount;
        sick = servers.Addresses.First(address => ejected.Count == 3 || !ejected.Contains(address)).Port;
        for (var i = 0; i < 30; i++)
        {
            using var response = await client.GetAsync("http://shop/").Within();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(10, servers.Handler.HedgedCount);
        Assert.True(servers.Handler.ResentCount > resent, "nothing was sent again");
    }

    [Fact]
    public async Task When_all_have_been_ejected_those_that_are_well_again_are_found_at_once()
    {
        int[] sick = [];
        await using var servers = await Replicas.StartAsync(3, context =>
        {
            if (sick.Contains(context.Connection.LocalPort))
                context.Abort();
            return Task.CompletedTask;
        });
        using var client = servers.Client(new() { EjectionTime = TimeSpan.FromHours(1), HedgeAfter = Timeout.InfiniteTimeSpan, MaxAttempts = 1 });
        sick = [.. servers.Addresses.Select(address => address.Port)];
        while (servers.Handler!.Ejected.Count < 3)
            Assert.False(await Answers());

        sick = [sick[0]];
        var failed = 0;
        for (var i = 0; i < 20; i++)
            failed += await Answers() ? 0 : 1;
        Assert.InRange(failed, 0, 3);

        async Task<bool> Answers()
        {
            try
            {
                using var response = await client.GetAsync("http://shop/").Within();
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task A_client_that_wants_no_answer_any_more_waits_for_none()
    {
        var gate = new Gate();
        await using var servers = await Replicas.StartAsync(3, context => gate.PassAsync(context.RequestAborted));
        using var client = servers.Client(new() { HedgeAfter = TimeSpan.FromMilliseconds(5) });
        using var cancellation = new CancellationTokenSource();
        var request = client.GetAsync(new Uri("http://shop/"), cancellation.Token);
        await Limits.Until(() => gate.Inside == 2, "the request and its hedge");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request.Within());
        await Limits.Until(() => gate.Inside == 0, "both to be told");
    }

    [Fact]
    public async Task Replicas_are_known_from_a_file_that_is_watched_from_configuration_and_from_the_DNS()
    {
        using var folder = new ScratchFolder();
        await using var servers = await Replicas.StartAsync(2, _ => Task.CompletedTask);
        var path = folder.Write("replicas.txt", $"# the shop\n{servers.Addresses[0]}  # first\n\n");
        using var client = new HttpClient(new ReplicaHandler(ReplicaSource.File(path, TimeSpan.FromMilliseconds(10))));
        await client.GetAsync("http://shop/").Within();
        Assert.Equal([1, 0], servers.Counts);
        folder.Write("new.txt", $"{servers.Addresses[1]}\n");
        File.Move(folder["new.txt"], path, overwrite: true);
        await Limits.Until(() => client.Send(new(HttpMethod.Get, "http://shop/")).IsSuccessStatusCode && servers.Counts[1] > 0, "the new list to be known");
        var (first, second) = (servers.Counts[0], servers.Counts[1]);
        File.WriteAllText(path, "nonsense");
        File.Delete(path);
        await client.GetAsync("http://shop/").Within();
        Assert.Equal([first, second + 1], servers.Counts);   // the last good list stays

        var time = new ManualTime();
        using var standing = ReplicaSource.File(folder.Write("standing.txt", $"{servers.Addresses[0]}\n"), TimeSpan.FromSeconds(1), time);
        foreach (var text in new[] { "", "# nothing\n", "nonsense" })   // it may just be being written
        {
            folder.Write("standing.txt", text);
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal([servers.Addresses[0]], standing.Current);
        }

        folder.Write("standing.txt", $"{servers.Addresses[1]}\n");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([servers.Addresses[1]], standing.Current);
        var wrong = Assert.Throws<FormatException>(() => ReplicaSource.File(folder.Write("wrong.txt", "http://a:1\nftp://b\n")));
        Assert.Contains("wrong.txt:2: 'ftp://b'", wrong.Message, StringComparison.Ordinal);

        using var blank = new HttpClient(new ReplicaHandler(ReplicaSource.File(folder.Write("blank.txt", "# none yet\n"))));
        Assert.Equal($"shop has no replicas: its list {folder["blank.txt"]} is empty.", (await Assert.ThrowsAsync<HttpRequestException>(() => blank.GetAsync("http://shop/").Within())).Message);
        Assert.Throws<FormatException>(() => ReplicaSource.List(new Uri("http://a:1/?x")));   // a replica has no query

        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Shop:0", $"{servers.Addresses[0]}"), new("Shop:1", $"{servers.Addresses[1]}")]).Build();
        using var configured = ReplicaSource.Configuration(configuration.GetSection("Shop"));
        Assert.Equal(servers.Addresses, configured.Current);
        configuration["Shop:1"] = "http://elsewhere:1";
        configuration.Reload();
        Assert.Equal(new("http://elsewhere:1"), configured.Current[1]);

        using var named = ReplicaSource.Dns(new($"http://localhost:{servers.Addresses[0].Port}"));
        Assert.Contains(servers.Addresses[0], named.Current);
        using var byName = new HttpClient(new ReplicaHandler(named));
        using var answer = await byName.GetAsync("http://shop/").Within();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    static async Task ServeAsync(Callback<string, bool> listening)
    {
        await using var server = await Replicas.StartOneAsync(context => context.Response.WriteAsync("here"));
        await listening.InvokeAsync(server.Urls.Single());
        await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping);
    }
}

/// <summary>Servers of one handler that count what they are asked.</summary>
sealed class Replicas : IAsyncDisposable
{
    static readonly ConcurrentDictionary<int, int> Numbers = new();

    readonly List<WebApplication> _servers = [];
    readonly int[] _counts;

    Replicas(int count) => _counts = new int[count];

    public Uri[] Addresses => [.. _servers.Select(server => new Uri(server.Urls.Single()))];

    public int[] Counts => [.. _counts];

    public ReplicaHandler? Handler { get; private set; }

    public static int NumberOf(HttpContext context) => Numbers[context.Connection.LocalPort];

    public static async Task<Replicas> StartAsync(int count, RequestDelegate handler)
    {
        var replicas = new Replicas(count);
        for (var i = 0; i < count; i++)
        {
            var number = i;
            replicas._servers.Add(await StartOneAsync(context =>
            {
                if (context.Request.Path != "/health")
                    Interlocked.Increment(ref replicas._counts[number]);
                return handler(context);
            }));
            Numbers[replicas.Addresses[i].Port] = i;
        }

        return replicas;
    }

    public static async Task<WebApplication> StartOneAsync(RequestDelegate handler)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.Run(handler);
        await server.StartAsync().Within(30);
        return server;
    }

    public HttpClient Client(ReplicaOptions? options = null)
    {
        Handler = new(ReplicaSource.List(Addresses), options);
        return new(Handler) { Timeout = Limits.Seconds(10) };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync().AsTask().Within(30);
    }
}
