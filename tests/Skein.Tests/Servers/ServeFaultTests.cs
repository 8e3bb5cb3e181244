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
            await CrashAsync(app.Url);
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

    // Not by HttpClient, which asks again where an answer ends before it has begun, and so crashes the next one.
    static async Task CrashAsync(Uri url)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port).Within();
        await client.GetStream().WriteAsync("GET /crash HTTP/1.1\r\nHost: here\r\n\r\n"u8.ToArray()).AsTask().Within();
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
    public async Task A_worker_that_shows_no_sign_of_life_is_replaced()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--heartbeat", "3s");
        var stuck = app.Workers().Single();

        await SignalAsync("STOP", stuck);

        await Limits.Until(() => app.Command.Error.Contains($"pid {stuck}) has shown no sign of life", StringComparison.Ordinal), () => app.Command.Error, 20);
        await Limits.Until(() => app.Workers() is [var other] && other != stuck, "another one", 20);
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Fact]
    public async Task A_worker_is_replaced_after_so_many_requests_and_none_of_them_fails()
    {
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
