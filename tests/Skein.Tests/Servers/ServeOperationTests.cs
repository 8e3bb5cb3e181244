using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>What a server needs in daily life: health, metrics, certificates, keys, logs, and a system that starts it.</summary>
public class ServeOperationTests
{
    [Fact]
    public async Task Health_and_metrics_are_on_an_address_of_their_own()
    {
        var admin = ServedApp.FreeAddress();
        await using var app = await ServedApp.StartAsync("--workers", "2", "--admin", admin);
        using var client = new HttpClient { BaseAddress = new(admin) };
        await Assert.ThrowsAsync<HttpRequestException>(() => app.GetAsync("/health/ready"));

        Assert.Equal("alive\n", await client.GetStringAsync("/health/live").Within());
        Assert.Equal("ready\n", await client.GetStringAsync("/health/ready").Within());
        await app.GetAsync("/");
        await Assert.ThrowsAsync<HttpRequestException>(() => app.GetAsync("/throw"));
        await Limits.Until(() => Metric("skein_requests_failed_total") == "1", () => Metrics());   // what Kestrel itself answers does not count
        Assert.Equal("3", Metric("skein_requests_total"));
        Assert.Equal("2", Metric("skein_workers{state=\"serving\"}"));

        await app.ReloadAsync();
        await Limits.Until(() => app.Workers().Length == 2, "the old workers' end", 20);
        Assert.Equal("3", Metric("skein_requests_total"));

        string Metrics() => client.GetStringAsync("/metrics").GetAwaiter().GetResult();

        string? Metric(string name) => Metrics().Split('\n').FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal))?.Split(' ')[1];
    }

    [Fact]
    public async Task A_server_without_enough_workers_is_alive_and_not_ready()
    {
        var admin = ServedApp.FreeAddress();
        await using var app = await ServedApp.StartAsync("--workers", "1", "--admin", admin);
        using var client = new HttpClient { BaseAddress = new(admin) };
        File.WriteAllText(Path.Combine(app.Link, "broken.txt"), "cannot start again");

        await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{app.Workers().Single()}");

        await Limits.Until(() => client.GetAsync("/health/ready").GetAwaiter().GetResult().StatusCode == HttpStatusCode.ServiceUnavailable, "not ready");
        Assert.Equal("alive\n", await client.GetStringAsync("/health/live").Within());
        File.Delete(Path.Combine(app.Link, "broken.txt"));
        await Limits.Until(() => client.GetAsync("/health/ready").GetAwaiter().GetResult().IsSuccessStatusCode, () => app.Command.Error, 30);
    }

    [Theory]
    [InlineData("web")]
    [InlineData("slim")]
    public async Task A_changed_certificate_is_taken_for_new_connections(string kind)
    {
        Assert.SkipUnless(Limits.Long || kind == "web", "a server is started for it: ./check --long");
        using var folder = new ScratchFolder();
        var first = WriteCertificate(folder);
        await using var app = await ServedApp.StartAsync("--workers", "1", "--listen", "https://127.0.0.1:0", "--certificate", folder["cert.pem"], "--certificate-key", folder["key.pem"], "--", kind);
        Assert.Equal(first, await SeenAsync());

        var second = WriteCertificate(folder);

        var seen = "";
        await Limits.Until(() => (seen = SeenAsync().GetAwaiter().GetResult()) == second, () => $"{second} instead of {seen}");

        async Task<string> SeenAsync()
        {
            var thumbprint = "";
            using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => (thumbprint = certificate!.Thumbprint).Length > 0 };
            using var client = new HttpClient(handler);
            Assert.Equal("hello", await client.GetStringAsync(app.Url).Within());
            return thumbprint;
        }
    }

    [Fact]
    public async Task Cookies_of_one_release_are_known_to_the_next_and_to_every_worker()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2", "--", "keys");
        var secret = await app.GetAsync("/protect?text=mine");

        await app.PointAtAsync(app.AddRelease("next"));
        await app.ReloadAsync();

        for (var i = 0; i < 6; i++)
        {
            using var client = new HttpClient();
            Assert.Equal("mine", await client.GetStringAsync(new Uri(app.Url, $"/unprotect?text={secret}")).Within());
        }
    }

    [Fact]
    public async Task Each_request_is_a_line_of_the_access_log_and_nobody_can_write_others()
    {
        using var folder = new ScratchFolder();
        await using var app = await ServedApp.StartAsync("--workers", "2", "--access-log", folder["access.log"]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/version?a=1");
        request.Headers.TryAddWithoutValidation("User-Agent", "test \"quoted\"");

        await app.Client.SendAsync(request).Within();

        var lines = "";
        await Limits.Until(() => (lines = File.ReadAllText(folder["access.log"])).Contains('\n'), "a line");
        Assert.Matches(@"^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] ""GET /version\?a=1 HTTP/1\.1"" 200 \S+ ""-"" ""test 'quoted'"" \d+\.\d{6}\n$", lines);

        // Both workers write to it at a time; and then somebody rotates it by copying and cutting it.
        HashSet<string> pids = [];
        var asked = 1;
        await Limits.Until(
            async () =>
            {
                pids.UnionWith(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync())));
                asked += 20;
                return pids.Count == 2 && asked > 200;
            },
            () => $"answers of two workers: {string.Join(' ', pids)}");
        await Limits.Until(() => File.ReadAllText(folder["access.log"]).Count(c => c == '\n') == asked, () => $"{asked} lines instead of {File.ReadLines(folder["access.log"]).Count()}");
        Assert.All(File.ReadLines(folder["access.log"]).Skip(1), line => Assert.Matches(@"^127\.0\.0\.1 .* ""GET /pid HTTP/1\.1"" 200 \S+ ""-"" ""-"" \d+\.\d{6}$", line));
        using (var file = File.OpenWrite(folder["access.log"]))
            file.SetLength(0);
        await AskAsync();
        await Limits.Until(() => File.ReadAllText(folder["access.log"]).EndsWith('\n'), "a line");
        Assert.StartsWith("127.0.0.1 ", File.ReadAllText(folder["access.log"]), StringComparison.Ordinal);

        async Task<string> AskAsync()
        {
            using var client = new HttpClient { BaseAddress = app.Url };   // a connection of its own
            return await client.GetStringAsync("/pid").Within();
        }
    }

    [Fact]
    public async Task Requests_that_fail_and_clients_that_leave_are_lines_of_the_access_log_too()
    {
        using var folder = new ScratchFolder();
        await using var app = await ServedApp.StartAsync("--workers", "1", "--access-log", folder["access.log"]);

        await Assert.ThrowsAsync<HttpRequestException>(() => app.GetAsync("/throw"));
        using (var left = new CancellationTokenSource())
        {
            var slow = app.Client.GetAsync("/slow?ms=60000", left.Token);
            await app.HasActiveAsync(1);
            await left.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
        }

        await Limits.Until(() => File.ReadAllLines(folder["access.log"]).Length == 2, () => File.ReadAllText(folder["access.log"]));
        Assert.Contains("\"GET /throw HTTP/1.1\" 500 ", File.ReadAllText(folder["access.log"]), StringComparison.Ordinal);
        Assert.Contains("\"GET /slow?ms=60000 HTTP/1.1\" 499 ", File.ReadAllText(folder["access.log"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_started_it_is_told_when_it_is_ready_reloads_and_ends()
    {
        using var folder = new ScratchFolder();
        using var notices = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notices.Bind(new UnixDomainSocketEndPoint(folder["notify"]));
        await using var app = ServedApp.Begin(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = folder["notify"], ["WATCHDOG_USEC"] = "20000" }, "--workers", "1");

        await HeardAsync("READY=1");
        await HeardAsync("WATCHDOG=1");
        await app.ServesAsync();
        var asked = TimeProvider.System.GetElapsedTime(0).TotalMicroseconds;
        await app.ReloadAsync();   // nobody reads meanwhile, and the kernel keeps ten
        var reloading = await HeardAsync("RELOADING=1\nMONOTONIC_USEC=");
        Assert.InRange(long.Parse(reloading.Split('=', '\n')[3], null), asked, TimeProvider.System.GetElapsedTime(0).TotalMicroseconds);
        await HeardAsync("READY=1");
        await app.Command.SignalAsync("TERM");
        await HeardAsync("STOPPING=1");

        Task<string> HeardAsync(string start) => HearAsync(start).Within(30);

        async Task<string> HearAsync(string start)
        {
            var buffer = new byte[256];
            while (true)
            {
                var text = Encoding.UTF8.GetString(buffer, 0, await notices.ReceiveAsync(buffer).Within(30));
                if (text.StartsWith(start, StringComparison.Ordinal))
                    return text;
            }
        }
    }

    [Fact]
    public async Task A_socket_that_is_handed_over_is_served()
    {
        if (!File.Exists("/usr/bin/systemd-socket-activate"))
            Assert.Skip("needs systemd-socket-activate");
        using var folder = new ScratchFolder();
        var address = new Uri(ServedApp.FreeAddress());
        using var command = SkeinCommand.StartProgram("/usr/bin/systemd-socket-activate", ["-l", address.Authority, "-E", $"SKEIN_HOME={folder.Path}", "-E", $"PATH={Environment.GetEnvironmentVariable("PATH")}", "-E", $"HOME={folder.Path}",
            "-E", $"SKEIN_TEST_RUN={Environment.GetEnvironmentVariable("SKEIN_TEST_RUN")}", "-E", $"TMPDIR={Path.GetTempPath()}",
            Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"), SkeinCommand.Dll, "serve", ServedApp.BuiltDll, "--workers", "1"], null);
        await Limits.Until(() => command.Error.Contains("Listening on", StringComparison.Ordinal), () => command.Error);
        using var client = new HttpClient { Timeout = Limits.Seconds(20) };

        Assert.Equal("hello", await client.GetStringAsync(address).Within(20));   // the first client starts it, and waits

        await command.SignalAsync("TERM");
        Assert.Equal(0, (await command.EndAsync()).Code);
    }

    [Fact]
    public async Task A_configuration_is_checked_without_a_start()
    {
        using var folder = new ScratchFolder();
        Assert.Equal(0, (await CheckAsync("--listen", "http://127.0.0.1:0")).Code);
        using (var server = Listen())
        using (var admin = Listen())
            Assert.Equal(0, (await CheckAsync("--listen", $"http://{server.LocalEndPoint}", "--admin", $"http://{admin.LocalEndPoint}")).Code);   // maybe it is this server, that runs

        Assert.Contains("needs a certificate", await WrongAsync("--listen", "https://127.0.0.1:0"), StringComparison.Ordinal);
        Assert.Contains("cannot be used", await WrongAsync("--listen", "https://127.0.0.1:0", "--certificate", folder.Write("bad.pem", "-----BEGIN nothing")), StringComparison.Ordinal);
        Assert.Contains("--admin takes an http address", await WrongAsync("--listen", "http://127.0.0.1:0", "--admin", "https://127.0.0.1:0"), StringComparison.Ordinal);

        Assert.Contains("http://127.0.0.1:9 is asked for twice", await WrongAsync("--listen", "http://*:9", "--admin", "http://127.0.0.1:9"), StringComparison.Ordinal);
        Assert.Contains("there is no folder '/nonexist/dir'", await WrongAsync("--listen", "http://unix:/nonexist/dir/x.sock"), StringComparison.Ordinal);
        Assert.Contains($"{folder.Path}' cannot be written: it is a folder", await WrongAsync("--access-log", folder.Path), StringComparison.Ordinal);
        var started = await SkeinCommand.RunAsync("", ["serve", ServedApp.BuiltDll, "--access-log", "/nonexist/access.log"], new Dictionary<string, string> { ["SKEIN_HOME"] = folder.Path });
        Assert.Equal((78, "skein: the access log '/nonexist/access.log' cannot be written: there is no folder '/nonexist'.\n"), (started.Code, started.Error));

        async Task<string> WrongAsync(params string[] options)
        {
            var ended = await CheckAsync(options);
            Assert.Equal(78, ended.Code);
            return ended.Error;
        }

        static Socket Listen()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            socket.Listen();
            return socket;
        }

        Task<Ended> CheckAsync(params string[] options) =>
            SkeinCommand.RunAsync("", ["serve", "--check", ServedApp.BuiltDll, .. options], new Dictionary<string, string> { ["SKEIN_HOME"] = folder.Path });
    }

    internal static string WriteCertificate(ScratchFolder folder)
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(new(2020, 1, 1, 0, 0, 0, default), new(2100, 1, 1, 0, 0, 0, default));
        File.WriteAllText(folder["key.pem"], key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(folder["cert.pem"], certificate.ExportCertificatePem());
        return certificate.Thumbprint;
    }
}
