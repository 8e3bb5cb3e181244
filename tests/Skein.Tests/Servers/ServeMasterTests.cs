using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>The master itself: what may happen to it, and what is asked of it at a bad moment.</summary>
public class ServeMasterTests
{
    [Fact]
    public async Task A_master_that_had_no_descriptors_for_a_while_starts_workers_again()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");

        // Two are free, and soon those of the dead worker: too few for another one, but enough for what the runtime itself needs now and then.
        var open = Directory.GetFiles($"/proc/{app.Master}/fd").Select(file => int.Parse(Path.GetFileName(file), null)).ToHashSet();
        await LimitAsync($"{Enumerable.Range(0, 3000).Where(descriptor => !open.Contains(descriptor)).ElementAt(2)}:3000");

        await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{app.Workers().Single()}");
        await Limits.Until(() => app.Command.Error.Contains("could not be started", StringComparison.Ordinal), () => app.Command.Error);

        await LimitAsync("3000:3000");
        Assert.Equal("hello", await app.Client.GetStringAsync("/").Within(40));

        async Task LimitAsync(string descriptors) =>
            Assert.Equal(0, (await SkeinCommand.RunProgramAsync("prlimit", "--pid", $"{app.Master}", $"--nofile={descriptors}")).Code);
    }

    [Fact]
    public async Task A_worker_that_tells_its_master_nonsense_is_replaced()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        var liar = app.Workers().Single();

        using var client = new TcpClient();   // HttpClient may ask again, and so make a liar of the next one
        await client.ConnectAsync(app.Url.Host, app.Url.Port).Within();
        await client.GetStream().WriteAsync("GET /nonsense HTTP/1.1\r\nHost: here\r\n\r\n"u8.ToArray()).AsTask().Within();

        await Limits.Until(() => app.Command.Error.Contains($"pid {liar}) said what no worker says", StringComparison.Ordinal), () => app.Command.Error);
        await Limits.Until(() => !app.Workers().Contains(liar), "the liar to be gone");
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("kill")]
    public async Task A_server_that_is_told_to_end_while_it_starts_ends_with_0(string how)
    {
        using var folder = new ScratchFolder();
        await using var app = ServedApp.Begin(new Dictionary<string, string> { ["WEB_GATE"] = folder.Write("gate", "") }, "--workers", "1");
        await Limits.Until(() => app.Workers().Length == 1, "a worker that starts", 20);
        Assert.Contains("\"state\":\"starting\"", (await app.AskAsync("ps", "--json")).Output, StringComparison.Ordinal);

        if (how == "TERM")
            await app.Command.SignalAsync(how);
        else
            Assert.Equal(0, (await app.AskAsync(how, app.Id)).Code);

        var ended = await app.Command.EndAsync();
        Assert.Equal(0, ended.Code);
        Assert.DoesNotContain("could not serve", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_asked_while_it_starts_comes_after_the_start()
    {
        using var folder = new ScratchFolder();
        await using var app = ServedApp.Begin(new Dictionary<string, string> { ["WEB_GATE"] = folder.Write("gate", "") }, "--workers", "1");
        await Limits.Until(() => app.Workers().Length == 1, "a worker that starts", 20);

        var scaled = app.AskAsync("scale", app.Id, "2");
        var reloaded = app.AskAsync("reload");
        File.Delete(folder["gate"]);

        Assert.Equal((0, 0), ((await scaled).Code, (await reloaded).Code));
        await app.ServesAsync();
        await Limits.Until(() => app.Workers().Length == 2, "two workers");
    }

    [Fact]
    public async Task Each_SIGTTIN_is_one_more_worker_also_while_another_starts()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        using (app.HoldStarts())
        {
            await app.Command.SignalAsync("TTIN");
            await Limits.Until(() => app.Workers().Length == 2, "the second to start");
            await app.Command.SignalAsync("TTIN");
            await app.AskAsync("ps");   // the signal has been handled when this is answered, or will be in a moment
        }

        await Limits.Until(() => app.Command.Error.Contains("scaled to 3", StringComparison.Ordinal), () => app.Command.Error, 20);
    }

    [Fact]
    public async Task A_server_is_ready_while_a_worker_that_still_serves_is_replaced()
    {
        var admin = ServedApp.FreeAddress();
        await using var app = await ServedApp.StartAsync("--workers", "1", "--max-requests", "2", "--admin", admin);
        using var client = new HttpClient { BaseAddress = new(admin) };
        using var held = app.HoldStarts();
        for (var i = 0; i < 2; i++)
            await app.GetAsync("/");
        await Limits.Until(() => app.Workers().Length == 2, "the next one to start");

        Assert.Equal("ready\n", await client.GetStringAsync("/health/ready").Within());
        Assert.Contains("\"state\":\"serving\"", (await app.AskAsync("ps", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_leaves_nothing_of_a_worker_that_was_starting()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "300s", "--start-timeout", "300s");
        using var held = app.HoldStarts();
        var first = app.Workers().Single();
        await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{first}");
        await Limits.Until(() => app.Workers() is [var next] && next != first, "another one to start");
        var starting = app.Workers().Single();

        await app.PointAtAsync(app.AddRelease("2"));
        await app.ReloadAsync();

        Assert.Equal("2", await app.GetAsync("/version"));
        await Limits.Until(() => app.Workers() is [var only] && only != starting, () => app.Command.Error);
    }

    [Fact]
    public async Task Output_that_nobody_reads_holds_up_neither_workers_nor_master()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        app.Command.IsRead = false;

        await app.Client.GetStringAsync("/say-many?count=20000").Within(30);

        var first = app.Workers().Single();
        await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{first}");
        await Limits.Until(() => app.Workers() is [var next] && next != first, "another one", 20);
        Assert.Equal("hello", await app.GetAsync("/"));
        app.Command.IsRead = true;
        await Limits.Until(() => app.Command.Error.Contains("lines are missing here", StringComparison.Ordinal), () => app.Command.Error);
    }

    [Fact]
    public async Task Who_follows_the_log_too_slowly_is_told_what_is_missing_and_costs_no_more_memory()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        using var slow = await ConnectAsync(app);
        await slow.SendAsync("[\"logs\",\"2000-01-01T00:00:00Z\",\"Trace\",\"\",\"follow\"]\n"u8.ToArray()).Within();
        using var answers = new StreamReader(new NetworkStream(slow));
        Assert.Contains("data", await answers.ReadLineAsync().Within(), StringComparison.Ordinal);

        await app.Client.GetStringAsync("/say-many?count=30000").Within(30);
        await Limits.Until(() => app.Command.Output.Contains("line 30000\n", StringComparison.Ordinal), "the last line", 20);

        await Limits.Until(() => answers.ReadLineAsync().Within().GetAwaiter().GetResult()!.Contains("lines are missing here", StringComparison.Ordinal), "the gap");
    }

    [Fact]
    public async Task A_request_that_makes_no_sense_is_answered_with_what_is_wrong()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        foreach (var (request, expected) in ((string, string)[])[("[\"logs\",\"yesterday\",\"Trace\",\"\",\"once\"]", "logs SINCE LEVEL"), ("[\"dance\"]", "does not know 'dance'")])
        {
            using var client = await ConnectAsync(app);
            await client.SendAsync(Encoding.UTF8.GetBytes(request + "\n")).Within();
            using var answers = new StreamReader(new NetworkStream(client));
            using var answer = JsonDocument.Parse((await answers.ReadLineAsync().Within())!);
            Assert.False(answer.RootElement.GetProperty("end").GetBoolean());
            Assert.Contains(expected, answer.RootElement.GetProperty("why").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Localhost_is_served_where_there_is_no_IPv6()
    {
        const string Up = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x41))";
        const string Alone = $"python3 -c \"{Up}\" && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && exec \"$@\"";
        string[] inside = ["--net", "--", "sh", "-c", Alone, "sh"];
        if ((await SkeinCommand.RunProgramAsync("unshare", [.. inside, "true"])).Code != 0)
            Assert.Skip("needs root and a network of its own");

        var ended = await SkeinCommand.RunProgramAsync("unshare", [.. inside, "dotnet", SkeinCommand.Dll, "serve", "--check", ServedApp.BuiltDll, "--listen", "http://localhost:5000"]);

        Assert.Equal("", ended.Error);
        Assert.Equal(0, ended.Code);
    }

    static async Task<Socket> ConnectAsync(ServedApp app)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(app.Environment["SKEIN_HOME"], "run", $"{app.Id}.sock"))).Within();
        return socket;
    }
}
