using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>A cancel reaches a request wherever it runs: its client cannot know which worker has it.</summary>
public class ServeCancelTests
{
    static string NewId() => RandomNumberGenerator.GetHexString(32);

    [Theory]
    [InlineData("the application as it is")]
    [InlineData("threads before it", "--threads", "4")]
    public async Task A_request_is_cancelled_also_where_another_worker_has_it(string _, params string[] options)
    {
        Assert.SkipUnless(Limits.Long || options.Length == 0, "a server is started for it: ./check --long");
        await using var app = await ServedApp.StartAsync(["--workers", "1", .. options]);
        var first = app.Workers().Single();
        var id = NewId();
        var request = app.NamedAsync(id, "/slow?ms=600000");
        await app.HasActiveAsync(1);
        Assert.Equal(0, (await app.AskAsync("scale", app.Id, "2")).Code);
        using var other = await ConnectAsync(app, to: app.Workers().Single(worker => worker != first));

        Assert.Equal(HttpStatusCode.NotFound, await CancelAsync(other, NewId()));
        Assert.Equal(HttpStatusCode.NotFound, await CancelAsync(other, "1"));
        using (var asked = await other.GetAsync($"/_skein/cancel/{id}").Within())
            Assert.Equal(HttpStatusCode.MethodNotAllowed, asked.StatusCode);
        Assert.False(request.IsCompleted);
        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(other, id));

        Assert.Equal(499, (int)(await request.Within()).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await CancelAsync(other, id));
    }

    [Fact]
    public async Task A_request_of_a_worker_that_drains_is_cancelled_by_way_of_the_new_one()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        var id = NewId();
        var request = app.NamedAsync(id, "/slow?ms=600000");
        await app.HasActiveAsync(1);

        await app.ReloadAsync();

        using var fresh = new HttpClient { BaseAddress = app.Url };
        Assert.Equal(HttpStatusCode.NoContent, await CancelAsync(fresh, id));
        Assert.Equal(499, (int)(await request.Within()).StatusCode);
    }

    [Fact]
    public async Task A_worker_that_does_not_answer_leaves_a_cancel_open_and_holds_up_nobody()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--heartbeat", "300s");
        var stuck = app.Workers().Single();
        Assert.Equal(0, (await app.AskAsync("scale", app.Id, "2")).Code);
        await SkeinCommand.RunProgramAsync("kill", "-STOP", $"{stuck}");
        using var client = new HttpClient { BaseAddress = app.Url, Timeout = Limits.Seconds(60) };   // the other one accepts all connections now

        // More than a socket takes.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 400).Select(_ => CancelAsync(client, NewId()))).Within(60);

        Assert.All(outcomes, outcome => Assert.Equal(HttpStatusCode.ServiceUnavailable, outcome));
        Assert.Equal(0, (await app.AskAsync("scale", app.Id, "1")).Code);   // which must tell it to drain
        await SkeinCommand.RunProgramAsync("kill", "-CONT", $"{stuck}");
    }

    /// <summary>A client whose only connection is with this worker.</summary>
    static async Task<HttpClient> ConnectAsync(ServedApp app, int to)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(20))
        {
            var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }) { BaseAddress = app.Url, Timeout = Limits.Seconds(60) };
            if (int.Parse(await client.GetStringAsync("/pid").Within(), CultureInfo.InvariantCulture) == to)
                return client;
            client.Dispose();
        }

        throw new TimeoutException($"No connection came to worker {to}.");
    }

    static async Task<HttpStatusCode> CancelAsync(HttpClient client, string id)
    {
        using var response = await client.PostAsync($"/_skein/cancel/{id}", null);
        return response.StatusCode;
    }
}
