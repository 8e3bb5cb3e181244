using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>What goes wrong with workers, and with their master.</summary>
public partial class ServeFaultTests
{
    [Fact]
    public async Task A_worker_that_is_killed_costs_only_the_requests_on_it()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2", "--spares", "1");
        var clients = new StrictClients(app.Url).Start(kept: 8, fresh: 0);
        await Limits.Until(() => clients.Answered > 50, "load");
        var victim = app.Workers()[0];

        await SignalAsync("KILL", victim);

        await Limits.Until(() => app.Command.Error.Contains($"pid {victim}) was ended by signal 9", StringComparison.Ordinal), () => app.Command.Error);
        var then = clients.Answered;
        await Limits.Until(() => clients.Answered > then + 200, "answers afterwards");
        await Limits.Until(() => app.Workers().Length == 3, "another worker", 20);
        await clients.DisposeAsync();
        Assert.True(clients.Failures.Count <= 8, string.Join('\n', clients.Failures));   // one request for each connection at most
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Fact]
    public async Task A_stampede_of_dying_workers_leaves_a_server_that_accepts()
    {
        var kills = Limits.Long ? 100 : 30;
        await using var app = await ServedApp.StartAsync("--workers", "3", "--spares", "1");
        var clients = new StrictClients(app.Url).Start(kept: 50, fresh: 50);
        await Limits.Until(() => clients.Answered > 100, "load");

        for (var i = 0; i < kills; i++)
        {
            if (app.Workers() is { Length: > 0 } workers)
                await SignalAsync("KILL", workers[Random.Shared.Next(workers.Length)]);
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        var then = clients.Answered;
        await Limits.Until(() => clients.Answered > then + 200, () => app.Command.Error, 60);
        await clients.DisposeAsync();
        using var client = new HttpClient { Timeout = Limits.Seconds(60) };
        Assert.Equal("hello", await client.GetStringAsync(app.Url));
    }

    [Fact]
    public async Task Workers_end_with_a_master_that_is_killed_and_the_port_is_free()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2");
        var workers = app.Workers();

        await SignalAsync("KILL", app.Master);

        await Limits.Until(() => workers.All(worker => !Directory.Exists($"/proc/{worker}")), "the workers' end");
        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        next.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, app.Url.Port));
    }

    [Fact]
    public async Task A_worker_that_crashes_is_replaced_and_ever_later_when_it_goes_on()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");

        for (var i = 1; i <= 3; i++)
        {
            await LoseAsync(app.Url, "/crash");
            await Limits.Until(() => Crash().Count(app.Command.Error) >= i, () => app.Command.Error);
            await app.GetAsync("/");   // waits in the queue until the next one serves
        }

        Assert.Contains("another takes its place", app.Command.Error, StringComparison.Ordinal);
        var pause = double.Parse(NextStart().Match(app.Command.Error).Groups[1].Value, CultureInfo.InvariantCulture);
        var log = (await app.AskAsync("logs", "--json")).Lines;
        var crashed = Array.FindLastIndex(log, line => NextStart().IsMatch(line));
        var started = Array.FindIndex(log, crashed, line => line.Contains("Application started", StringComparison.Ordinal));
        Assert.True(Time(log[started]) - Time(log[crashed]) >= TimeSpan.FromSeconds(pause) * 0.9, $"{log[crashed]}\n{log[started]}");

        static DateTimeOffset Time(string line)
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("time").GetDateTimeOffset();
        }
    }

    // A request whose worker dies of it. Not by HttpClient, which asks again where an answer ends before it has begun, and so takes the next one along.
    static async Task LoseAsync(Uri url, string path)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port).Within();
        await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n")).AsTask().Within();
        using var answer = new MemoryStream();
        try
        {
            await client.GetStream().CopyToAsync(answer).Within();
        }
        catch (IOException)
        {
            // The connection is reset.
        }

        Assert.Empty(answer.ToArray());
    }

    [Fact]
    public async Task Half_an_answer_of_a_worker_that_dies_is_no_whole_one()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        using var client = new TcpClient();
        await client.ConnectAsync(app.Url.Host, app.Url.Port).Within();
        await client.GetStream().WriteAsync("POST /half HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\n\r\n"u8.ToArray()).AsTask().Within();
        var text = "";
        await ReadAsync(until: "half \r\n");
        await client.GetStream().WriteAsync("x"u8.ToArray()).AsTask().Within();

        await ReadAsync(until: null);

        Assert.EndsWith("\r\n5\r\nhalf \r\n", text, StringComparison.Ordinal);   // chunked, and without the last chunk
        Assert.Equal("hello", await app.GetAsync("/"));

        async Task ReadAsync(string? until)
        {
            var buffer = new byte[4096];
            try
            {
                while ((until is null || !text.EndsWith(until, StringComparison.Ordinal)) && await client.GetStream().ReadAsync(buffer).AsTask().Within() is > 0 and var length)
                    text += System.Text.Encoding.ASCII.GetString(buffer, 0, length);
            }
            catch (IOException)
            {
                // The connection is reset.
            }
        }
    }

    [Fact]
    public async Task A_worker_without_descriptors_accepts_again_when_there_are_some_and_does_not_spin()
    {
        const int Reserved = 16;   // for the runtime: it aborts when it wants a thread, and has none
        await using var app = await ServedApp.StartAsync("--workers", "1");
        Assert.Equal("hello", await app.GetAsync("/"));
        var worker = app.Workers().Single();
        var open = Descriptors().ToHashSet();
        var limit = Enumerable.Range(0, 3000).Where(descriptor => !open.Contains(descriptor)).ElementAt(Reserved + 5);
        Assert.Equal(0, (await SkeinCommand.RunProgramAsync("prlimit", "--pid", $"{worker}", $"--nofile={limit}")).Code);
        var started = TimeProvider.System.GetTimestamp();
        var clients = Enumerable.Range(0, 20).Select(_ => new TcpClient(app.Url.Host, app.Url.Port)).ToArray();

        await Limits.Until(() => Refused() > 3, () => app.Command.Output);
        var refused = Refused();
        Assert.InRange(refused, 1, 2 + TimeProvider.System.GetElapsedTime(started) / TimeSpan.FromMilliseconds(100));   // looked at after them
        Assert.InRange(Descriptors().Count(descriptor => descriptor >= limit - Reserved && !open.Contains(descriptor)), 0, 4);

        foreach (var client in clients)
            client.Dispose();
        using var next = new HttpClient { Timeout = Limits.Seconds(20) };
        Assert.Equal("hello", await next.GetStringAsync(app.Url));
        Assert.Equal(worker, app.Workers().Single());

        IEnumerable<int> Descriptors() => Directory.GetFiles($"/proc/{worker}/fd").Select(file => int.Parse(Path.GetFileName(file), null));
        int Refused() => app.Command.Output.Split("No connection can be accepted").Length - 1;
    }

    [Fact]
    public async Task A_port_of_the_system_without_the_right_to_it_is_refused_with_the_reason()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv"), "rights are taken away by setpriv(1), as root");
        Assert.SkipUnless(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start").Trim() == "1024", "here all ports are for everybody");
        var ended = await SkeinCommand.RunProgramAsync(
            "setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "dotnet", SkeinCommand.Dll, "serve", "--check", ServedApp.BuiltDll, "--listen", "http://127.0.0.1:81");

        Assert.Contains("this user may not listen on a port below 1024", ended.Error, StringComparison.Ordinal);
        Assert.Equal(78, ended.Code);
    }

    [Fact]
    public async Task A_worker_that_shows_no_sign_of_life_is_replaced()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2", "--heartbeat", "3s", "--threads", "1", "--queue", "1");
        var both = app.Workers();

        // One is stopped, and the only thread of the other is lost to a handler that does not end, while a request waits for it.
        await SignalAsync("STOP", both[0]);
        var hanging = LoseAsync(app.Url, "/hang");
        await app.HasActiveAsync(1);
        var waiting = LoseAsync(app.Url, "/");

        await Limits.Until(() => app.Command.Error.Contains($"pid {both[0]}) has shown no sign of life", StringComparison.Ordinal), () => app.Command.Error, 20);
        await Limits.Until(() => app.Command.Error.Contains($"pid {both[1]}) has all threads of its dispatcher held by requests of which none has moved", StringComparison.Ordinal), () => app.Command.Error, 20);
        await Limits.Until(() => app.Workers() is [var one, var other] && !both.Contains(one) && !both.Contains(other), "others", 20);
        await Task.WhenAll(hanging, waiting);
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Fact]
    public async Task A_worker_is_replaced_after_so_many_requests_and_none_of_them_fails()
    {
        Assert.SkipUnless(Limits.Long, "workers are started again for it: ./check --long");
        await using var app = await ServedApp.StartAsync("--workers", "2", "--max-requests", "300");
        var first = app.Workers();
        var clients = new StrictClients(app.Url).Start(kept: 4, fresh: 2);

        await Limits.Until(() => first.All(worker => !app.Workers().Contains(worker)), () => $"other workers than {string.Join(' ', first)}: {app.Command.Error}", 40);

        await clients.DisposeAsync();
        Assert.Equal([], clients.Failures);
        Assert.Contains("requests (--max-requests)", app.Command.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_is_replaced_when_it_has_so_much_memory()
    {
        Assert.SkipUnless(Limits.Long, "it takes its time to have so much: ./check --long");
        await using var app = await ServedApp.StartAsync("--workers", "1", "--max-memory", "400M");
        var first = app.Workers().Single();

        await app.GetAsync("/eat?mb=450");

        await Limits.Until(() => app.Workers() is [var other] && other != first, () => app.Command.Error, 30);
        Assert.Contains("of memory (--max-memory)", app.Command.Error, StringComparison.Ordinal);
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Fact]
    public async Task The_number_of_workers_follows_SIGTTIN_and_SIGTTOU()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");

        await app.Command.SignalAsync("TTIN");
        await Limits.Until(() => app.Command.Error.Contains("scaled to 2", StringComparison.Ordinal), () => app.Command.Error, 20);
        Assert.Equal(2, app.Workers().Length);

        await app.Command.SignalAsync("TTOU");
        await Limits.Until(() => app.Command.Error.Contains("scaled to 1", StringComparison.Ordinal), () => app.Command.Error, 20);
        await Limits.Until(() => app.Workers().Length == 1, "one worker", 20);
    }

    static async Task SignalAsync(string signal, int process) => await SkeinCommand.RunProgramAsync("kill", $"-{signal}", $"{process}");

    [GeneratedRegex(@"the next start is in (\d+\.\d) s")] private static partial Regex NextStart();

    [GeneratedRegex("was ended by signal 6;")] private static partial Regex Crash();
}
