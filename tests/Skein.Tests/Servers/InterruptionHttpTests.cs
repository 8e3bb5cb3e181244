using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Skein.Tests.Servers;

/// <summary>Whatever interrupts a request cancels the token of its handler, whoever runs it.</summary>
public class InterruptionHttpTests
{
    public static TheoryData<string> Models => ["EventLoop", "Dispatcher"];

    static ServerModel Model(string name) => name == "EventLoop" ? ServerModel.EventLoop : ServerModel.Dispatcher(threads: 2, queue: 4);

    static string NewId() => RandomNumberGenerator.GetHexString(32);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task A_request_that_its_client_has_named_is_cancelled_on_another_connection(string model)
    {
        var handler = new Listening();
        await using var server = await HttpServer.StartAsync(Model(model), app => app.Run(handler.RunAsync));
        var id = NewId();
        var request = SendAsync(server, id);
        await Limits.Until(() => handler.Running == 1, "the handler to run");

        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(server, id.ToUpperInvariant()));

        Assert.Equal(499, (int)(await request.Within()).StatusCode);
        Assert.Equal([InterruptionCause.Cancelled], handler.Causes);
        Assert.Equal(HttpStatusCode.NotFound, await CancelAsync(server, id));   // it is over
    }

    [Fact]
    public async Task A_guessed_id_cancels_nothing_and_a_name_that_could_be_guessed_is_refused()
    {
        var handler = new Listening();
        await using var server = await HttpServer.StartAsync(ServerModel.EventLoop, app => app.Run(handler.RunAsync));
        var id = NewId();
        var request = SendAsync(server, id);
        await Limits.Until(() => handler.Running == 1, "the handler to run");

        foreach (var guess in new[] { NewId(), id[..31], id + "0", "", id[..16] + "*" })
            Assert.Equal(HttpStatusCode.NotFound, await CancelAsync(server, guess));
        using (var asked = await server.Client.GetAsync($"/_skein/cancel/{id}").Within())
            Assert.Equal(HttpStatusCode.MethodNotAllowed, asked.StatusCode);
        foreach (var name in new[] { id[..31], "12345", new string('g', 32), new string('a', 129) })
            Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(server, name).Within()).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(server, id).Within()).StatusCode);   // one name, two requests
        Assert.Equal((1, 1), (handler.Running, handler.Started));

        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(server, id));
        await request.Within();
    }

    [Fact]
    public async Task A_request_that_waits_for_a_thread_leaves_the_queue_when_it_is_cancelled()
    {
        var handler = new Listening();
        await using var server = await HttpServer.StartAsync(ServerModel.Iterative, app => app.Run(handler.RunAsync));
        var (first, second) = (NewId(), NewId());
        var running = SendAsync(server, first);
        await Limits.Until(() => handler.Running == 1, "the handler to run");
        var waiting = SendAsync(server, second);
        await Limits.Until(() => server.WaitingCount == 1, "the second to wait");

        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(server, second));
        Assert.Equal(499, (int)(await waiting.Within()).StatusCode);
        Assert.Equal(1, handler.Started);

        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(server, first));   // answered while the only thread is taken
        Assert.Equal(499, (int)(await running.Within()).StatusCode);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task A_request_that_takes_longer_than_the_server_allows_is_cancelled_and_answered_504(string model)
    {
        var handler = new Listening();
        await using var server = await HttpServer.StartAsync(Model(model), app => app.Run(handler.RunAsync), new() { Timeout = Limits.Seconds(0.25) });
        using var response = await server.Client.GetAsync("/").Within();
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal([InterruptionCause.TimedOut], handler.Causes);
    }

    [Fact]
    public async Task An_answer_that_was_interrupted_in_the_middle_is_a_broken_connection()
    {
        await using var server = await HttpServer.StartAsync(ServerModel.EventLoop, app => app.Run(async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        }));
        var id = NewId();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Skein-Request-Id", id } } };
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();

        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(server, id));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsStringAsync().Within());
    }

    [Fact]
    public async Task What_a_handler_has_registered_with_its_token_may_fail_and_is_reported()
    {
        var log = new LineLog();
        var isRunning = false;
        await using var server = await HttpServer.StartAsync(ServerModel.Dispatcher(threads: 2, queue: 4), app => app.Run(async context =>
        {
            context.RequestAborted.Register(static () => throw new InvalidOperationException("registered"));
            Volatile.Write(ref isRunning, true);
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        }), configure: builder => builder.Logging.AddProvider(log));
        var id = NewId();
        var request = SendAsync(server, id);
        await Limits.Until(() => Volatile.Read(ref isRunning), "the handler to run");

        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(server, id));
        Assert.Equal(499, (int)(await request.Within()).StatusCode);
        await Limits.Until(() => log.Lines.Any(line => line.Contains("has registered with its token failed", StringComparison.Ordinal)), "the failure to be reported");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Urgent_data_on_its_own_connection_cancels_a_request_however_much_is_queued_before_it(string model)
    {
        var handler = new Listening { After = 4 << 20 };
        await using var server = await HttpServer.StartAsync(Model(model), app => app.Run(handler.RunAsync), configure: builder =>
            builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBufferSize = 8 << 20));
        using var socket = await server.ConnectAsync($"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {8 << 20}\r\n\r\n");
        await socket.SendAsync(new byte[handler.After]).Within();   // the handler takes none of it
        await Limits.Until(() => handler.Running == 1, "the handler to run");

        await Limits.Until(() =>
        {
            socket.Send([33], SocketFlags.OutOfBand);   // more than once: Kestrel may read past one that comes with other bytes
            return handler.Running == 0;
        }, "the handler to be interrupted");

        var buffer = new byte[4096];
        Assert.StartsWith("HTTP/1.1 499 ", Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer).Within()), StringComparison.Ordinal);
        Assert.Equal([InterruptionCause.UrgentData], handler.Causes);
    }

    [Fact]
    public async Task Urgent_data_interrupts_each_request_of_a_connection_and_nobody_elses()
    {
        var handler = new Listening();
        await using var server = await HttpServer.StartAsync(ServerModel.EventLoop, app => app.Run(handler.RunAsync));
        using var other = await server.ConnectAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await Limits.Until(() => handler.Running == 1, "the other's handler to run");
        using var socket = await server.ConnectAsync("");
        var buffer = new byte[4096];
        for (var round = 1; round <= 3; round++)
        {
            await socket.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray()).Within();
            await Limits.Until(() => handler.Running == 2, "the handler to run");
            await socket.SendAsync(new byte[] { 33 }, SocketFlags.OutOfBand).Within();
            Assert.StartsWith("HTTP/1.1 499 ", Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer).Within()), StringComparison.Ordinal);
        }

        Assert.Equal((1, 3), (handler.Running, handler.Causes.Count));
    }

    [Fact]
    public async Task A_handler_on_a_thread_that_does_not_listen_is_reported_and_counted()
    {
        var (log, counted, gate) = (new LineLog(), 0L, new Gate());
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meter) =>
        {
            if (instrument.Name == "skein.server.handlers.deaf")
                meter.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref counted, value));
        listener.Start();
        var options = new HttpServerOptions { Timeout = Limits.Seconds(0.25), DeafAfter = TimeSpan.FromMilliseconds(50) };
        await using var server = await HttpServer.StartAsync(ServerModel.Dispatcher(2, 2), app => app.MapGet("/deaf", () => gate.Block()), options, configure: builder => builder.Logging.AddProvider(log));

        var request = server.Client.GetAsync("/deaf");
        await Limits.Until(() => log.Lines.Any(line => line.Contains("GET /deaf goes on for longer than", StringComparison.Ordinal)), "the report");
        Assert.True(Interlocked.Read(ref counted) >= 1);

        gate.Open();
        await request.Within();
    }

    static async Task<HttpStatusCode> CancelAsync(HttpServer server, string id)
    {
        using var client = new HttpClient { BaseAddress = server.Address };   // a connection of its own
        using var response = await client.PostAsync($"/_skein/cancel/{id}", null).Within();
        return response.StatusCode;
    }

    static async Task<HttpResponseMessage> SendAsync(HttpServer server, string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Skein-Request-Id", id } } };
        return await server.Client.SendAsync(request);
    }

    /// <summary>A handler that does nothing until it is interrupted.</summary>
    sealed class Listening
    {
        int _running, _started;

        /// <summary>It begins when so much of its body has been received.</summary>
        public int After { get; init; }

        public int Running => Volatile.Read(ref _running);

        public int Started => Volatile.Read(ref _started);

        public ConcurrentQueue<InterruptionCause?> Causes { get; } = new();

        public async Task RunAsync(HttpContext context)
        {
            Interlocked.Increment(ref _started);
            if (After > 0)
                context.Request.BodyReader.AdvanceTo((await context.Request.BodyReader.ReadAtLeastAsync(After)).Buffer.Start);
            Interlocked.Increment(ref _running);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
            }
            finally
            {
                if (context.Features.Get<Interruption>()!.Cause is not InterruptionCause.ClientLeft and var cause)
                    Causes.Enqueue(cause);
                Interlocked.Decrement(ref _running);
            }
        }
    }
}
