using System.Net;
using System.Net.Sockets;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>What <c>skein serve</c> makes of an application that knows nothing of it.</summary>
public class ServeTests
{
    [Theory]
    [InlineData("web")]
    [InlineData("slim")]
    [InlineData("empty")]
    [InlineData("generic")]
    [InlineData("mvc")]
    public async Task An_unmodified_application_is_served_by_several_processes(string kind)
    {
        await using var app = await ServedApp.StartAsync("--workers", "2", "--", kind);

        Assert.Equal("hello", await app.GetAsync("/"));
        if (kind == "mvc")
            Assert.Equal("controller", await app.GetAsync("/who"));
        Assert.Contains(int.Parse(await app.GetAsync("/pid"), null), app.Workers());
        Assert.Equal(2, app.Workers().Length);
    }

    [Fact]
    public async Task An_address_of_the_applications_own_is_named_and_not_taken()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2", "--", "own-address");

        Assert.Equal("hello", await app.GetAsync("/"));
        await Limits.Until(() => app.Command.Output.Contains("wants to listen on 127.0.0.1:1, but", StringComparison.Ordinal), "the warning");
    }

    [Fact]
    public async Task What_workers_print_comes_line_by_line_with_their_id()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");

        await app.GetAsync("/say?text=something");

        await Limits.Until(() => app.Command.Output.Contains(".1 |       said something\n", StringComparison.Ordinal), () => app.Command.Output);
    }

    [Fact]
    public async Task Bounded_threads_stand_before_the_handlers_and_refuse_what_finds_the_queue_full()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--threads", "1", "--queue", "1");

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.Client.GetAsync("/block?ms=300"))).Within(20);

        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable && answer.Headers.RetryAfter is not null);
    }

    [Theory]
    [InlineData("iterative", "skein-server-1")]
    [InlineData("threaded", "skein-server-")]
    [InlineData("dispatcher", "skein-server-", "--threads", "2", "--queue", "8")]
    [InlineData("eventloop", "pool")]
    public async Task Another_model_is_one_worker_whose_requests_run_as_it_says(string model, string thread, params string[] options)
    {
        Assert.SkipUnless(Limits.Long || model is "dispatcher" or "eventloop", "a server is started for it: ./check --long");
        await using var app = await ServedApp.StartAsync(["--model", model, .. options]);
        Assert.Single(app.Workers());
        var running = app.NamedAsync("0123456789abcdef0123456789abcdef", "/slow?ms=600000");
        await app.HasActiveAsync(1);

        var second = app.GetAsync("/thread");

        if (model == "iterative")
        {
            await app.HasActiveAsync(2);
            Assert.False(second.IsCompleted);
        }
        else
        {
            Assert.StartsWith(thread, await second, StringComparison.Ordinal);
        }

        using var cancelled = await app.Client.PostAsync("/_skein/cancel/0123456789abcdef0123456789abcdef", null).Within();
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        using var ended = await running.Within();
        Assert.StartsWith(thread, await second, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serves by one process; --workers is for prefork", "--model", "threaded", "--workers", "2")]
    [InlineData("--model dispatcher needs --threads N", "--model", "dispatcher")]
    [InlineData("--threads is for dispatcher and prefork", "--model", "iterative", "--threads", "2")]
    [InlineData("--queue says how many requests may wait for --threads", "--queue", "2")]
    [InlineData("--model takes prefork or iterative or threaded or dispatcher or eventloop; 'fast' is none", "--model", "fast")]
    public async Task Options_that_make_no_sense_with_a_model_are_refused(string why, params string[] options)
    {
        var ended = await SkeinCommand.RunAsync(["serve", ServedApp.BuiltDll, .. options]);

        Assert.Equal(64, ended.Code);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SIGTERM_ends_requests_that_run_and_then_the_server()
    {
        var admin = ServedApp.FreeAddress();
        await using var app = await ServedApp.StartAsync("--workers", "2", "--admin", admin);
        await using (var others = new StrictClients(app.Url).Start(kept: 1, fresh: 0))
            await Limits.Until(() => others.Answered > 5, "answers");
        using var slow = new TcpClient();
        await slow.ConnectAsync(app.Url.Host, app.Url.Port).Within();
        await slow.GetStream().WriteAsync("POST /wait HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\n\r\n"u8.ToArray()).AsTask().Within();
        await app.HasActiveAsync(1);

        await app.Command.SignalAsync("TERM");

        // Who comes now is refused, though the request still runs; that ends when its client says so.
        await Limits.Until(() => IsRefusedAsync(app.Url), () => "a refusal");
        Assert.NotEmpty(app.Workers());
        using (var health = await app.Client.GetAsync(new Uri(new(admin), "/health/ready")).Within())
            Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        await slow.GetStream().WriteAsync("x"u8.ToArray()).AsTask().Within();
        using var answer = new StreamReader(slow.GetStream());
        Assert.EndsWith("waited", (await answer.ReadToEndAsync().Within()).TrimEnd('\r', '\n', '0'), StringComparison.Ordinal);
        Assert.Equal(0, (await app.Command.EndAsync()).Code);
        Assert.True(await IsRefusedAsync(app.Url));
    }

    [Fact]
    public async Task An_application_that_cannot_start_ends_the_command_with_69_and_what_it_printed()
    {
        using var folder = new ScratchFolder();
        using var command = SkeinCommand.Start(["serve", ServedApp.BuiltDll, "--workers", "2", "--listen", "http://127.0.0.1:0"],
            new Dictionary<string, string> { ["WEB_FAILS"] = "no database", ["SKEIN_HOME"] = folder.Path });
        using var other = SkeinCommand.Start(["serve", ServedApp.BuiltDll, "--id", "other", "--workers", "1", "--listen", "http://127.0.0.1:0", "--", "nothing"],
            new Dictionary<string, string> { ["SKEIN_HOME"] = folder.Path });

        var ended = await command.EndAsync();

        Assert.Equal(69, ended.Code);
        Assert.Contains("could not serve: it was ended by signal 6 before it was ready", ended.Error, StringComparison.Ordinal);
        Assert.Contains("System.InvalidOperationException: no database", ended.Error, StringComparison.Ordinal);
        Assert.Contains("it ended with code 0 before it was ready: its Main has returned, and has run no web application", (await other.EndAsync()).Error, StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void What_is_no_web_application_is_said_before_a_start()
    {
        using var folder = new ScratchFolder();
        File.Copy(typeof(WorkerPool).Assembly.Location, folder["library.dll"]);
        File.WriteAllText(folder["text.dll"], "no assembly");
        foreach (var name in (string[])["library", "text"])
            File.Copy(Path.ChangeExtension(ServedApp.BuiltDll, ".runtimeconfig.json"), folder[$"{name}.runtimeconfig.json"]);

        Assert.Contains("is a library: there is no Main", Why(folder["library.dll"]), StringComparison.Ordinal);
        Assert.Contains("is no .NET assembly", Why(folder["text.dll"]), StringComparison.Ordinal);
        Assert.Contains("is no web application: skein-cli.runtimeconfig.json does not name Microsoft.AspNetCore.App", Why(SkeinCommand.Dll), StringComparison.Ordinal);
        _ = Release.At(ServedApp.BuiltDll);

        static string Why(string dll) => Assert.ThrowsAny<Exception>(() => Release.At(dll)).Message;
    }

    [Fact]
    public async Task An_address_that_cannot_be_listened_on_is_named_with_the_reason()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();

        Assert.Contains("is in use", await FailAsync($"http://{taken.LocalEndPoint}"), StringComparison.Ordinal);
        Assert.Contains("is not an address of this machine", await FailAsync("http://203.0.113.7:8080"), StringComparison.Ordinal);
        Assert.Contains("is not an address such as", await FailAsync("127.0.0.1:8080"), StringComparison.Ordinal);

        static async Task<string> FailAsync(string address)
        {
            var ended = await SkeinCommand.RunAsync("serve", ServedApp.BuiltDll, "--listen", address);
            Assert.Equal(78, ended.Code);
            return ended.Error;
        }
    }

    [Fact]
    public async Task What_an_application_starts_is_no_worker_and_does_not_hold_the_port()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");

        var environment = await app.GetAsync("/start-env");
        var descriptors = await app.GetAsync("/start-descriptors");

        Assert.DoesNotContain("SKEIN_SERVED", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET_STARTUP_HOOKS", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("socket:", descriptors, StringComparison.Ordinal);
    }

    static async Task<bool> IsRefusedAsync(Uri url)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(url.Host, url.Port).Within();
            return false;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            return error.SocketErrorCode == SocketError.ConnectionRefused;   // reset: it waited to be let in when that was no more
        }
    }
}
