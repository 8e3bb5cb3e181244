using System.Text.Json;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>What can be seen and done from outside while a server runs.</summary>
public class ServeControlTests
{
    [Fact]
    public async Task What_runs_is_listed_inspected_and_watched()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2");
        await app.GetAsync("/");

        var server = Json(await app.AskAsync("ps", "--json")).Single();
        Assert.Equal(app.Id, server.GetProperty("id").GetString());
        Assert.Equal(app.Master, server.GetProperty("pid").GetInt32());
        Assert.Equal("serving", server.GetProperty("state").GetString());
        Assert.Equal(app.Workers(), server.GetProperty("workers").EnumerateArray().Select(worker => worker.GetProperty("pid").GetInt32()).Order());
        Assert.Contains(app.Url.Authority, (await app.AskAsync("ps")).Output, StringComparison.Ordinal);

        await Limits.Until(() => Requests() == 1, "the request in the count");
        Assert.Contains("VmRSS", (await app.AskAsync("inspect", $"{app.Id}.1")).Output, StringComparison.Ordinal);
        Assert.Equal(app.Master, Json(await app.AskAsync("inspect", "--json")).Single().GetProperty("pid").GetInt32());
        Assert.Contains($"{app.Id}.2", (await app.AskAsync("top", "--rounds", "1")).Output, StringComparison.Ordinal);

        long Requests() => Json(app.AskAsync("ps", "--json").GetAwaiter().GetResult()).Single().GetProperty("workers").EnumerateArray().Sum(worker => worker.GetProperty("requests").GetInt64());
    }

    [Fact]
    public async Task Logs_are_found_by_worker_age_and_level_and_followed()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        using var following = SkeinCommand.Start(["logs", app.Id, "-f", "--level", "warning"], app.Environment);
        await app.GetAsync("/say?text=first");
        await Limits.Until(() => following.Output.Contains("said first", StringComparison.Ordinal), () => $"{following.Output}{following.Error}");
        await app.GetAsync("/say?text=second");
        await Limits.Until(() => following.Output.Contains("said second", StringComparison.Ordinal), () => following.Output);

        Assert.DoesNotContain("Application started", following.Output, StringComparison.Ordinal);
        Assert.Contains("Application started", (await app.AskAsync("logs", $"{app.Id}.1")).Output, StringComparison.Ordinal);
        Assert.Equal("", (await app.AskAsync("logs", "--since", "1ms")).Output);
        Assert.All(Json(await app.AskAsync("logs", "--level", "warning", "--json")), line => Assert.Equal("warning", line.GetProperty("level").GetString()));
    }

    [Fact]
    public async Task A_kill_now_breaks_requests_that_run()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "1h");
        var running = app.GetAsync("/slow?ms=600000");
        await app.HasActiveAsync(1);

        Assert.Equal(0, (await app.AskAsync("kill", "--now", app.Id)).Code);

        Assert.Equal(0, (await app.Command.EndAsync()).Code);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => running);
    }

    [Fact]
    public async Task Reload_scale_and_kill_wait_until_it_is_done()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        var first = app.Workers().Single();

        var reloaded = await app.AskAsync("reload", app.Id);
        Assert.Equal(0, reloaded.Code);
        Assert.Contains("reloaded: 1 serve", reloaded.Error, StringComparison.Ordinal);
        await Limits.Until(() => !app.Workers().Contains(first), "the old worker's end", 20);

        Assert.Equal(0, (await app.AskAsync("scale", app.Id, "2")).Code);
        Assert.Equal(2, app.Workers().Length);

        Assert.Equal(0, (await app.AskAsync("kill", app.Id)).Code);
        Assert.Equal(0, (await app.Command.EndAsync()).Code);
        Assert.Contains("no server runs", (await app.AskAsync("reload")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_that_fails_says_why_and_ends_with_69()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        File.WriteAllText(Path.Combine(app.Link, "broken.txt"), "no database");

        var ended = await app.AskAsync("reload");

        Assert.Equal(69, ended.Code);
        Assert.Contains("InvalidOperationException: no database", ended.Error, StringComparison.Ordinal);
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Fact]
    public async Task A_second_server_of_the_same_name_is_refused()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");

        var ended = await app.AskAsync("serve", ServedApp.BuiltDll, "--id", app.Id, "--listen", "http://127.0.0.1:0");

        Assert.Equal(69, ended.Code);
        Assert.Contains("A server with this name runs already", ended.Error, StringComparison.Ordinal);
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    [Fact]
    public async Task A_server_that_was_killed_does_not_keep_its_name()
    {
        await using var first = await ServedApp.StartAsync("--workers", "1");
        await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{first.Master}");
        await first.Command.EndAsync();
        Assert.DoesNotContain(first.Id, (await first.AskAsync("ps")).Output, StringComparison.Ordinal);

        using var second = SkeinCommand.Start(["serve", ServedApp.BuiltDll, "--id", first.Id, "--workers", "1", "--listen", "http://127.0.0.1:0"], first.Environment);
        await Limits.Until(() => second.Error.Contains("serves on", StringComparison.Ordinal), () => second.Error, 20);
        await second.SignalAsync("TERM");
        await second.EndAsync();
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task Another_user_is_refused()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("needs root, to become another user");
        await using var app = await ServedApp.StartAsync("--workers", "1");
        var socket = Path.Combine(app.Environment["SKEIN_HOME"], "run", $"{app.Id}.sock");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(socket));

        // Even where the files would let them in. The folders above it are not asked: it comes from within.
        var folder = Path.GetDirectoryName(socket)!;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(socket, (UnixFileMode)0b111_111_111);
        const string Ask = """
            import contextlib, socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            with contextlib.suppress(OSError):  # the server may have refused it already
                s.sendall(b'["kill","now"]\n')
            print(s.recv(4096).decode())
            """;
        var ended = await SkeinCommand.RunProgramAsync(
            "sh", "-c", "cd \"$0\" && exec setpriv --reuid=65534 --clear-groups /usr/bin/python3 -c \"$1\" \"$2\"", folder, Ask, Path.GetFileName(socket));

        Assert.Contains("Only the user who started this server", ended.Output + ended.Error, StringComparison.Ordinal);
        Assert.Equal("hello", await app.GetAsync("/"));
    }

    static JsonElement[] Json(Ended ended) => [.. ended.Lines.SelectMany(line =>
    {
        using var json = JsonDocument.Parse(line);
        var all = json.RootElement.Clone();
        return all.ValueKind == JsonValueKind.Array ? all.EnumerateArray().ToArray() : [all];
    })];
}
