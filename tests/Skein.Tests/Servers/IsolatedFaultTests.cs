using System.Globalization;
using System.Net;

namespace Skein.Tests.Servers;

/// <summary>Whatever an isolated handler does, it does to its own client and to nobody else.</summary>
public class IsolatedFaultTests(IsolatedEndpointTests.Application application) : IClassFixture<IsolatedEndpointTests.Application>
{
    /// <summary>The seconds that a handler has which is expected to listen.</summary>
    static readonly string Patience = Limits.Seconds(1).TotalSeconds.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("exit")]
    [InlineData("overflow")]
    public async Task A_handler_that_takes_its_process_along_is_a_502_for_its_client_and_nothing_for_others(string fault)
    {
        var program = application.Program.Forget();
        using var other = await program.Client.GetAsync("/isolated/events", HttpCompletionOption.ResponseHeadersRead).Within(20);
        using var lines = new StreamReader(await other.Content.ReadAsStreamAsync().Within());
        Assert.Equal("data: 1", await lines.ReadLineAsync().Within());

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.BadGateway, await program.StatusAsync($"/isolated/{fault}"));
            Assert.Equal("hello", await program.GetAsync("/isolated/hello"));   // by the worker that took its place
        }

        for (var i = 1; i <= 3; i++)
            program.Tell($"go{i}");
        Assert.EndsWith("data: 3", (await lines.ReadToEndAsync().Within()).TrimEnd(), StringComparison.Ordinal);
        await Limits.Until(() => program.Output.Contains($"The worker that ran GET /isolated/{fault} is gone", StringComparison.Ordinal), "the loss in the log");
    }

    [Theory]
    [InlineData("half")]
    [InlineData("half-throw")]
    public async Task Half_an_answer_never_looks_like_a_whole_one(string fault)
    {
        var program = application.Program.Forget();
        using var response = await program.Client.GetAsync($"/isolated/{fault}", HttpCompletionOption.ResponseHeadersRead).Within(20);
        using var body = await response.Content.ReadAsStreamAsync().Within();
        var buffer = new byte[100];
        Assert.Equal("half "u8.ToArray(), buffer[..await body.ReadAsync(buffer).Within()]);

        program.Tell("die");

        await Assert.ThrowsAnyAsync<IOException>(() => body.ReadAsync(buffer).Within());
        Assert.Equal("hello", await program.GetAsync("/isolated/hello"));
    }

    [Theory]
    [InlineData("spin", "spinning", false)]
    [InlineData("wait", "cancelled", true)]
    public async Task A_handler_that_takes_too_long_is_a_504_and_is_killed_unless_it_listens(string path, string note, bool listens)
    {
        await using var program = await WebProgram.StartAsync("--timeout", "3", "--grace", listens ? Patience : "0.2");

        Assert.Equal(HttpStatusCode.GatewayTimeout, await program.StatusAsync($"/isolated/{path}"));
        Assert.Equal(listens, WebProgram.Lives(await program.NoteAsync(note)));
    }

    [Fact]
    public async Task A_handler_whose_client_leaves_is_told_and_killed_when_it_does_not_listen()
    {
        await using (var patient = await WebProgram.StartAsync("--grace", Patience))
        {
            using (await patient.ConnectAsync("GET /isolated/wait HTTP/1.1\r\nHost: x\r\n\r\n"))
                await patient.NoteAsync("waiting");
            Assert.True(WebProgram.Lives(await patient.NoteAsync("cancelled")));
        }

        var program = application.Program.Forget();
        string spinning;
        using (await program.ConnectAsync("GET /isolated/spin HTTP/1.1\r\nHost: x\r\n\r\n"))
            spinning = await program.NoteAsync("spinning");
        await Limits.Until(() => !WebProgram.Lives(spinning), "the worker to be killed");
        Assert.Equal("hello", await program.GetAsync("/isolated/hello"));
    }

    [Fact]
    public async Task A_handler_that_takes_more_memory_than_it_may_fails_and_the_next_request_is_served()
    {
        var program = application.Program.Forget();
        Assert.Equal(HttpStatusCode.OK, await FillAsync(10 << 20));
        Assert.Contains(await FillAsync(1L << 30), new[] { HttpStatusCode.BadGateway, HttpStatusCode.InternalServerError });   // killed, or out of memory
        Assert.Equal(HttpStatusCode.OK, await FillAsync(10 << 20));

        async Task<HttpStatusCode> FillAsync(long bytes)
        {
            using var response = await program.Client.PostAsync($"/limited/{bytes}", null).Within(20);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task What_finds_the_queue_of_the_workers_full_is_refused_at_once()
    {
        await using var program = await WebProgram.StartAsync("--workers", "1", "--queue", "1");
        using var running = await program.ConnectAsync("GET /isolated/wait HTTP/1.1\r\nHost: x\r\n\r\n");
        await program.NoteAsync("waiting");

        var others = Enumerable.Range(0, 5).Select(_ => program.Client.GetAsync("/isolated/hello")).ToArray();
        await Limits.Until(() => others.Count(other => other.IsCompleted) >= 4, "all but what waits to be refused");

        running.Dispose();
        var answers = await Task.WhenAll(others).Within(20);
        Assert.All(answers, answer => Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable }));
        Assert.Equal(1, answers.Count(answer => answer.IsSuccessStatusCode));
        Assert.All(answers.Where(answer => !answer.IsSuccessStatusCode), answer => Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta));
    }

    [Fact]
    public async Task An_application_that_fails_in_its_workers_says_why_and_goes_on_serving_the_rest()
    {
        await using var program = await WebProgram.StartAsync("--broken", "no such database");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await program.StatusAsync("/isolated/hello"));
        await Limits.Until(() => program.Output.Contains("no such database", StringComparison.Ordinal), "the reason in the log");
        Assert.NotEqual("", await program.GetAsync("/"));
    }

    [Fact]
    public async Task Workers_end_with_their_application()
    {
        var program = await WebProgram.StartAsync();
        await using (program)
        {
            var worker = await program.GetAsync("/isolated/process");
            await program.StopAsync();
            await Limits.Until(() => !WebProgram.Lives(worker), "the worker to end");
        }
    }
}
