using System.Globalization;
using System.Net;
using System.Text;

namespace Skein.Tests.Servers;

/// <summary>An endpoint that runs in a process of its own is an endpoint like any other: for its handler, and for its clients.</summary>
public class IsolatedEndpointTests(IsolatedEndpointTests.Application application) : IClassFixture<IsolatedEndpointTests.Application>
{
    WebProgram Program => application.Program;

    [Fact]
    public async Task A_handler_runs_in_another_process_with_the_services_and_the_configuration_of_its_application()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Program.GetAsync("/isolated/process")));
        Assert.DoesNotContain(await Program.GetAsync("/"), ids);
        Assert.InRange(ids.Distinct().Count(), 1, 2);   // as many workers as were asked for
        Assert.Equal("good day Ada!", await Program.GetAsync("/isolated/greet/Ada?mark=!"));
    }

    [Fact]
    public async Task A_request_arrives_as_it_was_sent_with_what_middleware_found_out_about_its_client()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/isolated/context?a=%20b&c");
        request.Headers.Add("X-Name", "Ada");
        using var response = await Program.Client.SendAsync(request).Within();
        Assert.Equal(
            "http GET /isolated/context ?a=%20b&c Ada HTTP: GET /isolated/context => Describe 127.0.0.1 HTTP/1.1",
            await response.Content.ReadAsStringAsync().Within());
    }

    [Fact]
    public async Task Status_headers_and_body_of_an_answer_arrive_as_they_were_set()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/isolated/headers");
        request.Headers.Add("X-Many", ["first", "second"]);
        using var headers = await Program.Client.SendAsync(request).Within();
        Assert.Equal(418, (int)headers.StatusCode);
        Assert.Equal(["one", "two"], headers.Headers.GetValues("X-Two"));
        Assert.Equal("first, second", string.Join(", ", headers.Headers.GetValues("X-Sent")));
        Assert.Equal(["yes"], headers.Headers.GetValues("X-Starting"));

        using var json = await Program.Client.GetAsync("/isolated/json/7").Within();
        Assert.Equal(HttpStatusCode.Accepted, json.StatusCode);
        Assert.Equal("application/json", json.Content.Headers.ContentType?.MediaType);
        Assert.Equal("""{"number":7,"square":49}""", await json.Content.ReadAsStringAsync().Within());

        Assert.Equal(HttpStatusCode.NoContent, await Program.StatusAsync("/isolated/nothing"));
        Assert.Equal(HttpStatusCode.NotFound, await Program.StatusAsync("/isolated/json/seven"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bodies_of_any_length_are_streamed_both_ways(bool chunked)
    {
        foreach (var length in new[] { 0, 1, 5000, 65_536, 300_000, 5_000_000 })
        {
            var sent = Enumerable.Range(0, length).Select(i => (byte)(i * 31 >> 3)).ToArray();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/isolated/echo") { Content = new ByteArrayContent(sent) };
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await Program.Client.SendAsync(request).Within();
            Assert.Equal(sent, await response.Content.ReadAsByteArrayAsync().Within());
        }
    }

    [Fact]
    public async Task What_is_flushed_arrives_while_the_handler_goes_on()
    {
        using var response = await Program.Client.GetAsync("/isolated/events", HttpCompletionOption.ResponseHeadersRead).Within();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync().Within());
        for (var number = 1; number <= 3; number++)
        {
            Assert.Equal($"data: {number}", await lines.ReadLineAsync().Within());
            Assert.Equal("", await lines.ReadLineAsync().Within());
            Program.Tell($"go{number}");   // only now the next is written
        }

        Assert.Null(await lines.ReadLineAsync().Within());
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_up_its_handler_and_nobody_else()
    {
        const long Length = 4L << 30;
        using var socket = await Program.ConnectAsync($"GET /isolated/bytes/{Length} HTTP/1.1\r\nHost: x\r\n\r\n");
        var (sent, since) = (-1L, TimeProvider.System.GetTimestamp());
        await Limits.Until(() =>
        {
            if (long.TryParse(Program.Note("sent"), NumberStyles.None, CultureInfo.InvariantCulture, out var now) && now != sent)
                (sent, since) = (now, TimeProvider.System.GetTimestamp());
            return sent >= 0 && TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromMilliseconds(300);
        }, "the handler to stand still");

        Assert.InRange(sent, 0, Length / 8);
        Assert.Equal("hello", await Program.GetAsync("/isolated/hello"));
    }

    [Fact]
    public async Task A_client_that_sends_slowly_holds_no_worker()
    {
        var slow = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            Program.ConnectAsync("POST /isolated/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst")));

        for (var i = 0; i < 10; i++)
            Assert.Equal("hello", await Program.GetAsync("/isolated/hello"));

        var buffer = new byte[4096];
        foreach (var socket in slow)
        {
            await socket.SendAsync("later"u8.ToArray()).Within();
            var answer = "";
            while (!answer.Contains("firstlater", StringComparison.Ordinal))   // in however many pieces
            {
                var length = await socket.ReceiveAsync(buffer).Within();
                Assert.NotEqual(0, length);
                answer += Encoding.ASCII.GetString(buffer, 0, length);
            }

            socket.Dispose();
        }
    }

    [Fact]
    public async Task What_a_handler_throws_is_the_applications_own_to_answer()
    {
        Assert.Equal(HttpStatusCode.InternalServerError, await Program.StatusAsync("/thrown"));
        Assert.Equal(HttpStatusCode.InternalServerError, await Program.StatusAsync("/isolated/throw"));
        await Limits.Until(() => Program.Output.Contains("System.InvalidOperationException: broken", StringComparison.Ordinal), "the exception in the application's log");
    }

    [Fact]
    public async Task Hosted_services_of_the_application_do_not_start_once_more_in_its_workers()
    {
        await Program.GetAsync("/isolated/hello");   // the workers have built their host
        await Limits.Until(() => Program.Output.Contains("hosted service in ", StringComparison.Ordinal), "the hosted service to start");
        Assert.Equal([await Program.GetAsync("/")], Program.Output.Split('\n').Where(line => line.StartsWith("hosted service in ", StringComparison.Ordinal)).Select(line => line.Split(' ')[^1]));
    }

    public sealed class Application : IAsyncLifetime
    {
        internal WebProgram Program { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Program = await WebProgram.StartAsync("--greeting", "good day");

        public ValueTask DisposeAsync() => Program.DisposeAsync();
    }
}
