using System.Net;
using Microsoft.AspNetCore.Builder;

namespace Skein.Tests.Servers;

/// <summary>A server that measures takes on as many requests as can be served without a queue behind them.</summary>
public class LimiterTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(40)]
    [InlineData(300)]
    public void The_limit_finds_what_the_service_behind_can_do(int capacity)
    {
        var limit = new VegasLimit(new());
        Serve(limit, capacity, windows: 400);
        Assert.InRange(limit.Limit, capacity, 2 * capacity + 10);   // a few that wait keep it busy
    }

    [Fact]
    public void The_limit_shrinks_when_the_service_gets_slower_and_grows_again_when_that_is_over()
    {
        var limit = new VegasLimit(new());
        Serve(limit, capacity: 100, windows: 300);
        var before = limit.Limit;
        Serve(limit, capacity: 10, windows: 30);
        Assert.InRange(limit.Limit, 4, before / 2);
        Serve(limit, capacity: 100, windows: 300);
        Assert.InRange(limit.Limit, 100, 210);
    }

    [Fact]
    public void Work_that_has_become_heavier_is_not_taken_for_a_queue()
    {
        var limit = new VegasLimit(new());
        Serve(limit, capacity: 100, windows: 300);
        Serve(limit, capacity: 100, windows: 300, length: 5000);
        Assert.InRange(limit.Limit, 100, 210);
    }

    [Fact]
    public void Few_requests_say_nothing_about_the_limit()
    {
        var limit = new VegasLimit(new() { Initial = 50 });
        for (var i = 0; i < 100; i++)
            limit.Update(1000 * (i + 1), inFlight: 3);
        Assert.Equal(50, limit.Limit);
    }

    [Theory]
    [InlineData("Dispatcher")]
    [InlineData("EventLoop")]
    public async Task What_is_more_than_the_limit_is_refused_at_once_and_its_place_is_free_again(string name)
    {
        var (model, gate) = (name == "EventLoop" ? ServerModel.EventLoop : ServerModel.Dispatcher(threads: 16, queue: 16), new Gate());
        await using var server = await HttpServer.StartAsync(
            model,
            app =>
            {
                app.MapGet("/wait", () => gate.PassAsync());
                app.MapGet("/", () => "here");
                app.MapGet("/throw", string () => throw new InvalidOperationException("broken"));
            },
            new() { Limit = new() { Initial = 3, Least = 3, Most = 3 }, RetryAfter = TimeSpan.FromSeconds(7) });
        for (var i = 0; i < 10; i++)
            Assert.Equal(HttpStatusCode.InternalServerError, (await server.Client.GetAsync("/throw").Within()).StatusCode);   // gives its place back

        var taken = Enumerable.Range(0, 3).Select(_ => server.Client.GetAsync("/wait")).ToArray();
        await Limits.Until(() => gate.Inside == 3, "as many to run as may");
        using var refused = await server.Client.GetAsync("/").Within();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), refused.Headers.RetryAfter?.Delta);

        gate.Open();
        await Task.WhenAll(taken).Within();
        await Limits.Until(() => server.Limiter!.InFlight == 0, "their places to be free");
        Assert.Equal("here", await server.Client.GetStringAsync("/").Within());
    }

    [Fact]
    public async Task A_server_whose_handlers_wait_for_one_another_finds_a_limit_below_its_threads()
    {
        using var narrow = new SemaphoreSlim(2);
        await using var server = await HttpServer.StartAsync(
            ServerModel.Dispatcher(threads: 64, queue: 64),
            app => app.MapGet("/", async () =>
            {
                await narrow.WaitAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(5));
                narrow.Release();
            }),
            new() { Limit = new() { Initial = 60 } });
        using var stop = new CancellationTokenSource();
        var served = 0;
        var clients = Enumerable.Range(0, 64).Select(async number =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var response = await server.Client.GetAsync("/");
                if (response.IsSuccessStatusCode)
                    Interlocked.Increment(ref served);
                else
                    await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        }).ToArray();

        await Limits.Until(() => server.Limiter!.Limit < 60, () => $"the limit to shrink; it is {server.Limiter!.Limit}", 20);
        await stop.CancelAsync();
        await Task.WhenAll(clients).Within();
        Assert.True(served > 0);
    }

    // A service that does so many at a time; more of them share it. As many are offered as the limit lets in.
    static void Serve(VegasLimit limit, int capacity, int windows, double length = 1000)
    {
        for (var i = 0; i < windows; i++)
            limit.Update(length * Math.Max(1, (double)limit.Limit / capacity), limit.Limit);
    }
}
