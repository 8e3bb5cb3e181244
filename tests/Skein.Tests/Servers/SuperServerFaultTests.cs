using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein.Tests.Servers;

/// <summary>Programs that cannot be started or fail, addresses that cannot be had, and other services while some run.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerFaultTests
{
    [Theory]
    [InlineData("missing")]
    [InlineData("not executable")]
    [InlineData("a folder")]
    public async Task A_program_that_cannot_be_started_disables_its_service_for_a_time_and_is_served_once_it_can(string fault)
    {
        using var folder = new Folder();
        var file = folder["program"];
        if (fault == "not executable")
            File.WriteAllText(file, "#!/bin/sh\necho here\n");
        if (fault == "a folder")
            Directory.CreateDirectory(file);
        await using var server = await SuperServerCase.StartAsync(Service.Program("program", SuperServerCase.Free, file), SuperServerCase.Script("other", "echo there"));
        for (var i = 0; i < 3; i++)
        {
            using var client = await server.ConnectAsync("program");
            Assert.Equal(Ending.Broken, await client.EndingAsync());
        }

        var status = await server.StatusAsync("program");
        Assert.True(status is { State: ServiceState.Disabled, Failed: 1 } && status.LastFailure!.Contains(file), $"{status}");   // tried once, not each time
        Assert.True(server.Log.Contains($"Service program is disabled for 00:00:01: "), $"{server.Log}");
        Assert.Equal("there\n", await server.AskAsync("", "other"));

        if (fault == "a folder")
            Directory.Delete(file);
        File.WriteAllText(file, "#!/bin/sh\necho here\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await server.UntilAsync(status => status.State == ServiceState.Listening, "the service to be tried again", "program");
        Assert.Equal("here\n", await server.AskAsync("", "program"));
    }

    [Fact]
    public async Task A_program_that_fails_at_once_again_and_again_disables_its_service_and_one_that_fails_now_and_then_does_not()
    {
        await using var server = await SuperServerCase.StartAsync(
            SuperServerCase.Script("fails", "exit 3") with { Limits = new() { Failures = 3 } },
            SuperServerCase.Script("sometimes", "read word; test $word = good") with { Limits = new() { Failures = 3 } });
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal("", await server.AskAsync("", "fails"));
            await server.UntilAsync(status => status.Failed == i, "the failure to be counted", "fails");
        }

        using (var client = await server.ConnectAsync("fails"))
            Assert.Equal(Ending.Broken, await client.EndingAsync());
        Assert.True(server.Log.Contains("Service fails is disabled for 00:00:01: its program fails at once with code 3."), $"{server.Log}");

        foreach (var word in new[] { "bad\n", "bad\n", "good\n", "bad\n", "bad\n", "good\n" })
        {
            var started = (await server.StatusAsync("sometimes")).Started;
            Assert.Equal("", await server.AskAsync(word, "sometimes"));
            await server.UntilAsync(status => status.Started == started + 1 && status.Instances == 0, "it to end", "sometimes");
        }

        Assert.Equal((ServiceState.Listening, 4), ((await server.StatusAsync("sometimes")).State, (await server.StatusAsync("sometimes")).Failed));
    }

    [Fact]
    public async Task Clients_that_leave_early_do_not_disable_a_service()
    {
        await using var server = await SuperServerCase.StartAsync(SuperServerCase.Script("talks", "echo y; read line; while :; do echo more; done") with { Limits = new() { Failures = 1 } });
        for (var i = 1; i <= 3; i++)
        {
            using (var client = await server.ConnectAsync())
                Assert.Equal("y", await client.LineAsync());
            await server.UntilAsync(status => status.Instances == 0, "it to end with its client");
        }

        Assert.Equal((ServiceState.Listening, 0), ((await server.StatusAsync()).State, (await server.StatusAsync()).Failed));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public async Task Clients_that_break_their_connections_do_not_disable_a_service_whose_programs_fail_then(int failures, bool oneByOne)
    {
        const int Clients = 6;
        await using var server = await SuperServerCase.StartAsync(SuperServerCase.Script("reads", "echo y; exec cat") with { Limits = new() { Failures = failures } });
        var clients = new List<Client>();
        for (var i = 1; i <= Clients; i++)
        {
            var client = await server.ConnectAsync();
            Assert.Equal("y", await client.LineAsync());
            clients.Add(client);
            if (oneByOne)
                await BreakAsync(1);
        }

        await BreakAsync(oneByOne ? 0 : Clients);

        Assert.Equal((ServiceState.Listening, Clients), ((await server.StatusAsync()).State, (await server.StatusAsync()).Started));
        Assert.Equal("y\nhere", await server.AskAsync("here"));   // and it is no longer watched
        Assert.Equal("y\nhere", await server.AskAsync("here"));

        async Task BreakAsync(int expected)
        {
            Assert.Equal(expected, clients.Count);
            clients.ForEach(client => client.Break());
            clients.Clear();
            await server.UntilAsync(status => status.Instances == 0, "the programs to fail");
        }
    }

    [Fact]
    public async Task A_program_that_waits_and_takes_nothing_is_not_started_without_end()
    {
        await using var server = await SuperServerCase.StartAsync(SuperServerCase.Script("idle", "exit 0") with { Waits = true, Limits = new() { Failures = 5 } });
        using var client = await server.ConnectAsync();
        await server.UntilAsync(status => status.State == ServiceState.Disabled, "the service to be disabled");
        Assert.Equal(5, (await server.StatusAsync()).Started);
        Assert.True(server.Log.Contains("takes nothing of what it was started for"), $"{server.Log}");
    }

    [Fact]
    public async Task A_program_that_is_started_at_once_and_fails_fails_the_start_with_the_reason()
    {
        var (ends, missing) = (SuperServerCase.Script("ends", "exit 3") with { Waits = true, StartsAtOnce = true, Notifies = true }, Service.Program("none", SuperServerCase.Free, "/no/such") with { Waits = true, StartsAtOnce = true });
        Assert.Contains("fails at once with code 3", (await Assert.ThrowsAsync<PlaceException>(() => SuperServerCase.StartAsync(ends))).Message.Replace("ends at once with code 3", "fails at once with code 3"));
        Assert.Contains("/no/such", (await Assert.ThrowsAsync<PlaceException>(() => SuperServerCase.StartAsync(missing))).Message);
        var never = SuperServerCase.Script("never", "exec sleep 1000") with { Waits = true, StartsAtOnce = true, Notifies = true };
        Assert.Contains("READY=1", (await Assert.ThrowsAsync<TimeoutException>(() => SuperServerCase.StartAsync(new SuperServerOptions { ReadyTimeout = TimeSpan.FromMilliseconds(200) }, never))).Message);
    }

    [Fact]
    public async Task An_address_that_cannot_be_had_fails_the_start_with_the_reason_and_leaves_nothing()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using var folder = new Folder();
        var taken = ServiceEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)other.LocalEndpoint).Port);
        var first = SuperServerCase.Script("first", "echo", ServiceEndpoint.Unix(folder["socket"]));
        Assert.Contains("Another program listens there", (await Assert.ThrowsAsync<IOException>(() => SuperServerCase.StartAsync(first, SuperServerCase.Script("taken", "echo", taken)))).Message);
        Assert.False(File.Exists(folder["socket"]));
        Assert.Contains("no such address", (await Assert.ThrowsAsync<IOException>(() => SuperServerCase.StartAsync(SuperServerCase.Script("far", "echo", ServiceEndpoint.Tcp(IPAddress.Parse("192.0.2.1"), 0))))).Message);
    }

    [Fact]
    public async Task A_socket_file_that_a_killed_server_left_is_taken_over_and_nothing_else_is_removed()
    {
        using var folder = new Folder();
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            killed.Bind(new UnixDomainSocketEndPoint(folder["left"]));
        File.WriteAllText(folder["file"], "");
        await using (var server = await SuperServerCase.StartAsync(SuperServerCase.Script("here", "echo here", ServiceEndpoint.Unix(folder["left"]))))
            Assert.Equal("here\n", await server.AskAsync(""));
        await Assert.ThrowsAsync<IOException>(() => SuperServerCase.StartAsync(SuperServerCase.Script("here", "echo here", ServiceEndpoint.Unix(folder["file"]))));
        Assert.True(File.Exists(folder["file"]));
    }

    [Fact]
    public async Task Reloading_keeps_sockets_that_stay_and_what_runs_and_opens_and_closes_the_others()
    {
        using var folder = new Folder();
        Service stays = Service.Program("stays", SuperServerCase.Free, "cat"), goes = Service.Program("goes", ServiceEndpoint.Unix(folder["goes"]), "cat");
        await using var server = await SuperServerCase.StartAsync(stays, goes, Service.Handler("handler", SuperServerCase.Free, SuperServerHandlerTests.WhoAsync) with { Workers = 1 });
        var (endpoint, worker) = ((await server.StatusAsync("stays")).EndPoint, (await server.AskAsync("x", "handler")).Split(' ')[0]);
        using var one = await server.ConnectAsync("stays");
        using var two = await server.ConnectAsync("goes");
        await one.SayAsync("1\n");
        await two.SayAsync("2\n");
        Assert.Equal(("1", "2"), (await one.LineAsync(), await two.LineAsync()));
        var before = (await server.StatusAsync("stays")).ProcessIds;

        await server.Server.ReloadAsync(
        [
            SuperServerCase.Script("stays", "echo changed", stays.Endpoint),
            Service.Handler("handler", SuperServerCase.Free, SuperServerHandlerTests.WhoAsync) with { Workers = 1 },
            SuperServerCase.Script("comes", "echo new", ServiceEndpoint.Unix(folder["comes"])),
        ]).Within();

        Assert.Equal((endpoint, 1), ((await server.StatusAsync("stays")).EndPoint, (await server.StatusAsync("stays")).Instances));
        Assert.Equal(before, (await server.StatusAsync("stays")).ProcessIds);
        Assert.Equal("changed\n", await server.AskAsync("", "stays"));
        Assert.Equal("new\n", await server.AskAsync("", "comes"));
        Assert.StartsWith(worker, await server.AskAsync("x", "handler"), StringComparison.Ordinal);   // the same warm worker
        await Assert.ThrowsAsync<SocketException>(() => Client.ConnectAsync(goes.Endpoint.Address));
        Assert.Equal(("3\n", "4\n"), (await one.AskAsync("3\n"), await two.AskAsync("4\n")));
    }

    [Fact]
    public async Task A_reload_that_cannot_be_done_changes_nothing_and_says_why()
    {
        using var folder = new Folder();
        var here = SuperServerCase.Script("here", "echo here");
        await using var server = await SuperServerCase.StartAsync(here);
        var good = SuperServerCase.Script("good", "echo good", ServiceEndpoint.Unix(folder["good"]));
        Service[] bad = [SuperServerCase.Script("here", "echo changed", here.Endpoint), good, SuperServerCase.Script("far", "echo", ServiceEndpoint.Tcp(IPAddress.Parse("192.0.2.1"), 0))];
        Assert.Contains("no such address", (await Assert.ThrowsAsync<IOException>(() => server.Server.ReloadAsync(bad))).Message);
        await Assert.ThrowsAsync<PlaceException>(() => server.Server.ReloadAsync([here, good, Service.Program("none", SuperServerCase.Free, "/no/such") with { Waits = true, StartsAtOnce = true }]));
        Assert.Equal("here\n", await server.AskAsync(""));
        Assert.False(File.Exists(folder["good"]));
        Assert.Single(await server.Server.StatusAsync());
    }

    [Fact]
    public async Task Stopping_lets_connections_end_within_the_grace_period_and_then_ends_them()
    {
        await using var server = await SuperServerCase.StartAsync(Service.Program("cat", SuperServerCase.Free, "cat"));
        using var ends = await server.ConnectAsync();
        using var stays = await server.ConnectAsync();
        await server.UntilAsync(status => status.Instances == 2, "both to be served");
        var endpoint = (await server.StatusAsync()).EndPoint;
        var stopping = server.Server.StopAsync(Limits.Seconds(0.5));
        Assert.Equal("still served", await ends.AskAsync("still served"));
        await Limits.Until(() => IsRefused(endpoint), "nobody to listen any more");
        Assert.NotEqual(Ending.None, await stays.EndingAsync());
        await stopping.Within();
    }

    static bool IsRefused(EndPoint endpoint)
    {
        try
        {
            using var client = Client.Connect(endpoint);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    [Fact]
    public void Services_that_contradict_themselves_or_each_other_are_named()
    {
        var endpoint = ServiceEndpoint.Tcp(IPAddress.Loopback, 4711);
        Service[] services =
        [
            SuperServerCase.Script("a", "", endpoint) with { After = ["b"] },
            SuperServerCase.Script("b", "", endpoint) with { After = ["a", "none"] },
            Service.BuiltIn("b", SuperServerCase.Free, BuiltInService.Echo) with { Waits = true, User = "nobody" },
            SuperServerCase.Script("c", "") with { User = "nosuchuser", WorkingDirectory = "/no/such" },
        ];
        var said = string.Join('\n', SuperServer.Check(services).Select(problem => $"{problem.Service.Name}: {problem.Message}"));
        foreach (var part in new[] { "a: It comes after itself", "b: Service 'a' listens on tcp://127.0.0.1:4711", "no such service", "another service 'b'", "Only a program can be handed", "Only a program can run as", "no user 'nosuchuser'", "no folder '/no/such'" })
            Assert.Contains(part, said);
    }
}
