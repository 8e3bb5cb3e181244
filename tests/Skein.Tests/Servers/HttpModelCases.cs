using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Skein.Tests.Servers;

/// <summary>What every server model promises for HTTP; where they differ, the model's own numbers say so. A model joins by one line below.</summary>
public abstract class HttpModelCases(ServerModel model)
{
    const int Many = 12;

    bool HasThreads => model.Threads > 0;

    int AtATime => HasThreads ? model.Threads : int.MaxValue;

    [Fact]
    public async Task Requests_and_their_bodies_are_answered()
    {
        await using var server = await HttpServer.StartAsync(model, app => app.Run(Echo));
        foreach (var length in new[] { 0, 1, 5000, 300_000 })
        {
            foreach (var chunked in new[] { false, true })
            {
                var sent = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();
                using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(sent) };
                request.Headers.TransferEncodingChunked = chunked;
                using var response = await server.Client.SendAsync(request).Within();
                Assert.Equal(sent, await response.Content.ReadAsByteArrayAsync().Within());
            }
        }
    }

    [Fact]
    public async Task As_many_handlers_run_at_a_time_as_the_model_says()
    {
        var gate = new Gate();
        await using var server = await HttpServer.StartAsync(model, app => app.Run(_ => gate.PassAsync()));
        var expected = Math.Min(Many, AtATime);
        var room = model.Kind == ServerModelKind.Dispatcher ? model.Threads + model.Queue : Many;

        var requests = Enumerable.Range(0, Many).Select(_ => server.Client.GetAsync("/")).ToArray();
        await Limits.Until(() => gate.Inside == expected && requests.Count(request => request.IsCompleted) == Math.Max(0, Many - room), $"{expected} handlers at a time");
        Assert.Equal(expected, gate.Entered);

        gate.Open();
        var codes = (await Task.WhenAll(requests).Within()).Select(response => response.StatusCode).ToArray();
        Assert.Equal(Math.Min(room, Many), codes.Count(code => code == HttpStatusCode.OK));
        Assert.Equal(Math.Max(0, Many - room), codes.Count(code => code == HttpStatusCode.ServiceUnavailable));
    }

    [Fact]
    public async Task Requests_that_wait_are_served_in_order_of_arrival()
    {
        Assert.SkipUnless(model.Queue > 0, $"nothing waits under {model}");
        var gate = new Gate();
        var order = new ConcurrentQueue<string>();
        await using var server = await HttpServer.StartAsync(model, app =>
        {
            app.MapGet("/wait", () => gate.PassAsync());
            app.MapGet("/{number}", (string number) => order.Enqueue(number));
        });
        var busy = Enumerable.Range(0, model.Threads).Select(_ => server.Client.GetAsync("/wait")).ToArray();
        await Limits.Until(() => gate.Inside == model.Threads, "all threads busy");

        var sockets = new List<Socket>();
        for (var i = 0; i < 4; i++)
        {
            sockets.Add(await server.ConnectAsync($"GET /{i} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
            await Limits.Until(() => server.WaitingCount == i + 1, "the request to wait");
        }

        gate.Open();
        foreach (var socket in sockets)
        {
            Assert.StartsWith("HTTP/1.1 200", await AnswerAsync(socket), StringComparison.Ordinal);
            socket.Dispose();
        }

        await Task.WhenAll(busy).Within();
        if (model.Threads == 1)
            Assert.Equal(["0", "1", "2", "3"], order);
        else
            Assert.Equal(4, order.Count);   // begun in order, but by several threads
    }

    [Fact]
    public async Task Garbage_and_headers_without_end_cost_their_own_connection()
    {
        await using var server = await HttpServer.StartAsync(model, app => app.MapGet("/", () => "here"));
        using var garbage = await server.ConnectAsync("\u0001\u0002 nothing that HTTP has\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400", await AnswerAsync(garbage), StringComparison.Ordinal);
        using var endless = await server.ConnectAsync("GET / HTTP/1.1\r\nHost: x\r\n");
        Assert.Equal("here", await server.Client.GetStringAsync("/").Within());

        var header = Encoding.ASCII.GetBytes($"X: {new string('x', 1000)}\r\n");
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            for (var sent = 0; sent < 10_000_000; sent += header.Length)   // the server has had enough long before
                await endless.SendAsync(header).Within();
        });

        Assert.Equal("here", await server.Client.GetStringAsync("/").Within());
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_up_no_more_than_its_own_thread()
    {
        Assert.SkipUnless(AtATime > 1, $"{model} runs one at a time");
        var gate = new Gate();
        gate.Open();
        await using var server = await HttpServer.StartAsync(model, app =>
        {
            app.MapGet("/much", async (HttpContext context) =>
            {
                await gate.PassAsync();
                await context.Response.Body.WriteAsync(new byte[50_000_000], context.RequestAborted);
            });
            app.MapGet("/", () => "here");
        });
        using var deaf = await server.ConnectAsync("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
        await Limits.Until(() => gate.Entered == 1, "the handler to begin");
        for (var i = 0; i < Many; i++)
            Assert.Equal("here", await server.Client.GetStringAsync("/").Within());
    }

    [Theory]
    [InlineData("Request-Timeout", "5000000")]
    [InlineData("grpc-timeout", "99999999H")]
    public async Task A_deadline_that_no_timer_can_wait_for_is_none(string header, string value)
    {
        var gate = new Gate();
        await using var server = await HttpServer.StartAsync(model, app => app.Run(_ => gate.PassAsync()));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { header, value } } };
        var asked = server.Client.SendAsync(request);
        await Limits.Until(() => gate.Inside == 1, "the handler to run");

        gate.Open();
        using var response = await asked.Within();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_handler_that_blocks_holds_up_no_more_than_its_own_thread()
    {
        Assert.SkipUnless(AtATime > 1 && HasThreads, $"a handler that blocks holds up others under {model}");
        var gate = new Gate();
        await using var server = await HttpServer.StartAsync(model, app =>
        {
            app.MapGet("/block", gate.Block);
            app.MapGet("/", () => "here");
        });
        var blocked = Math.Min(AtATime - 1, 40);   // more than the thread pool begins with
        var blocking = Enumerable.Range(0, blocked).Select(_ => server.Client.GetAsync("/block")).ToArray();
        await Limits.Until(() => gate.Inside == blocked, "handlers to block");

        Assert.Equal("here", await server.Client.GetStringAsync("/").Within());

        gate.Open();
        Assert.All(await Task.WhenAll(blocking).Within(), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public async Task Clients_that_send_half_a_request_hold_no_thread()
    {
        await using var server = await HttpServer.StartAsync(model, app => app.Run(Echo));
        var sockets = new List<Socket>();
        for (var i = 0; i < Many; i++)
        {
            sockets.Add(await server.ConnectAsync("GET / HTTP/1.1\r\nHost: x"));
            sockets.Add(await server.ConnectAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"));
            sockets.Add(await server.ConnectAsync("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
        }

        using var content = new StringContent("whole");
        using var response = await server.Client.PostAsync("/", content).Within();
        Assert.Equal("whole", await response.Content.ReadAsStringAsync().Within());

        await sockets[1].SendAsync(Encoding.ASCII.GetBytes(new string('x', 96))).Within();   // the other half
        Assert.StartsWith("HTTP/1.1 200", await AnswerAsync(sockets[1]), StringComparison.Ordinal);
        sockets.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task A_handler_that_throws_costs_its_own_request()
    {
        await using var server = await HttpServer.StartAsync(model, app =>
        {
            app.MapGet("/", () => "here");
            app.MapGet("/throw", string () => throw new InvalidOperationException("broken"));
            app.MapGet("/later", async () =>
            {
                await Task.Yield();
                throw new InvalidOperationException("broken");
            });
        });
        for (var i = 0; i < Many; i++)
        {
            foreach (var path in new[] { "/throw", "/later" })
            {
                using var failed = await server.Client.GetAsync(path).Within();
                Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
            }
        }

        Assert.Equal("here", await server.Client.GetStringAsync("/").Within());
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_the_token_of_its_handler()
    {
        var gate = new Gate();
        var cancelled = new TaskCompletionSource();
        await using var server = await HttpServer.StartAsync(model, app => app.Run(async context =>
        {
            context.RequestAborted.Register(() => cancelled.TrySetResult());
            await gate.PassAsync(context.RequestAborted);
        }));
        var socket = await server.ConnectAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await Limits.Until(() => gate.Inside == 1, "the handler to run");

        socket.Dispose();

        await cancelled.Task.Within();
    }

    [Fact]
    public async Task A_request_whose_client_has_gone_while_it_waited_is_never_started()
    {
        Assert.SkipUnless(model.Queue > 0, $"nothing waits under {model}");
        var (gate, started) = (new Gate(), 0);
        await using var server = await HttpServer.StartAsync(model, app =>
        {
            app.MapGet("/wait", () => gate.PassAsync());
            app.MapGet("/", () => Interlocked.Increment(ref started));
        });
        var busy = Enumerable.Range(0, model.Threads).Select(_ => server.Client.GetAsync("/wait")).ToArray();
        await Limits.Until(() => gate.Inside == model.Threads, "all threads busy");
        var socket = await server.ConnectAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await Limits.Until(() => server.WaitingCount == 1, "the request to wait");

        socket.Dispose();
        await Limits.Until(() => server.WaitingCount == 0, "the request to leave the queue");

        gate.Open();
        await Task.WhenAll(busy).Within();
        Assert.Equal("1", await server.Client.GetStringAsync("/").Within());   // the first that was started is this one
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("Request-Timeout", "0.05")]
    [InlineData("grpc-timeout", "50m")]
    public async Task A_request_whose_deadline_passed_while_it_waited_is_never_started(string? header, string? value)
    {
        Assert.SkipUnless(model.Queue > 0, $"nothing waits under {model}");
        var (gate, started) = (new Gate(), 0);
        var options = new HttpServerOptions { Deadline = Limits.Seconds(header is null ? 0.25 : 60), RetryAfter = TimeSpan.FromSeconds(7) };
        await using var server = await HttpServer.StartAsync(model, app =>
        {
            app.MapGet("/wait", () => gate.PassAsync());
            app.MapGet("/", () => Interlocked.Increment(ref started));
        }, options);
        var busy = Enumerable.Range(0, model.Threads).Select(_ => server.Client.GetAsync("/wait")).ToArray();
        await Limits.Until(() => gate.Inside == model.Threads, "all threads busy");

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (header is not null)
            request.Headers.Add(header, value);
        using var response = await server.Client.SendAsync(request).Within();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), response.Headers.RetryAfter?.Delta);
        gate.Open();
        await Task.WhenAll(busy).Within();
        Assert.Equal(0, started);
    }

    [Fact]
    public async Task What_finds_the_queue_full_is_refused_at_once()
    {
        Assert.SkipUnless(model.Kind == ServerModelKind.Dispatcher, $"nothing is refused under {model}");
        var gate = new Gate();
        await using var server = await HttpServer.StartAsync(model, app => app.Run(_ => gate.PassAsync()));
        var taken = Enumerable.Range(0, model.Threads + model.Queue).Select(_ => server.Client.GetAsync("/")).ToArray();
        await Limits.Until(() => gate.Inside == model.Threads && server.WaitingCount == model.Queue, "threads and queue to be full");

        using var refused = await server.Client.GetAsync("/").Within();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        gate.Open();
        Assert.All(await Task.WhenAll(taken).Within(), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public async Task A_handler_stays_on_its_thread_and_keeps_what_its_request_carries()
    {
        Assert.SkipUnless(HasThreads, $"{model} has no threads of its own");
        await using var server = await HttpServer.StartAsync(model, app => app.Run(async context =>
        {
            var (thread, number) = (Environment.CurrentManagedThreadId, ServerThread.Current!.Number);
            for (var i = 0; i < 20; i++)
                await Task.Delay(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
            var same = thread == Environment.CurrentManagedThreadId && number == ServerThread.Current?.Number;
            var accessor = context.RequestServices.GetRequiredService<IHttpContextAccessor>();
            await context.Response.WriteAsync($"{same} {ReferenceEquals(accessor.HttpContext, context)}");
        }));
        Assert.Equal("True True", await server.Client.GetStringAsync("/").Within());
    }

    [Fact]
    public async Task Stopping_waits_for_what_runs_and_what_waits()
    {
        var gate = new Gate();
        await using var server = await HttpServer.StartAsync(model, app => app.Run(_ => gate.PassAsync()));
        var (running, waiting) = (Math.Min(3, AtATime), model.Queue > 0 ? 2 : 0);
        var requests = Enumerable.Range(0, running + waiting).Select(_ => server.Client.GetAsync("/")).ToArray();
        await Limits.Until(() => gate.Inside == running && server.WaitingCount == waiting, "requests to run and to wait");

        var stopping = server.StopAsync();
        gate.Open();

        await stopping.Within();
        Assert.All(await Task.WhenAll(requests).Within(), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public async Task Stopping_ends_at_its_deadline_and_cancels_what_is_left_and_no_thread_remains()
    {
        var (gate, cancelled) = (new Gate(), 0);
        var threads = new ConcurrentBag<Thread>();
        await using (var server = await HttpServer.StartAsync(
            model,
            app => app.Run(async context =>
            {
                threads.Add(Thread.CurrentThread);
                try
                {
                    await gate.PassAsync(context.RequestAborted);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
            }),
            grace: TimeSpan.FromMilliseconds(50)))
        {
            var running = Math.Min(3, AtATime);
            var requests = Enumerable.Range(0, running + (model.Queue > 0 ? 1 : 0)).Select(_ => server.Client.GetAsync("/")).ToArray();
            await Limits.Until(() => gate.Inside == running && server.WaitingCount == requests.Length - running, "requests to run");

            await server.StopAsync().Within();

            foreach (var request in requests)
                await Assert.ThrowsAnyAsync<HttpRequestException>(() => request.Within());
            await Limits.Until(() => Volatile.Read(ref cancelled) == gate.Entered && gate.Inside == 0, "the handlers to be cancelled");
        }

        if (HasThreads)
            await Limits.Until(() => threads.All(thread => !thread.IsAlive), "the threads to end");
    }

    static async Task Echo(HttpContext context) => await context.Request.Body.CopyToAsync(context.Response.Body);

    static async Task<string> AnswerAsync(Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer).Within());
    }
}

public class IterativeHttpTests() : HttpModelCases(ServerModel.Iterative);

public class ThreadedHttpTests() : HttpModelCases(ServerModel.Threaded);

public class DispatcherHttpTests() : HttpModelCases(ServerModel.Dispatcher(threads: 3, queue: 4));

public class EventLoopHttpTests() : HttpModelCases(ServerModel.EventLoop);
