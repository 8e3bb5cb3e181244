using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein.Tests.Servers;

/// <summary>Who is let in, how many, how often and for how long.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerLimitTests
{
    [Fact]
    public async Task One_source_that_opens_a_thousand_connections_holds_up_no_other()
    {
        await using var server = await SuperServerCase.StartAsync(
            Service.Program("cat", SuperServerCase.Free, "cat") with { Limits = new() { InstancesPerSource = 5, Instances = 50 } });
        var endpoint = (await server.StatusAsync()).EndPoint;
        var greedy = new List<Client>();
        for (var i = 0; i < 1000; i++)
            greedy.Add(Client.Connect(endpoint, "127.0.0.2"));
        await server.UntilAsync(status => status is { Refused: 995, Instances: 5 }, "all but five to be refused");

        Assert.Equal("hello", await server.AskAsync("hello"));
        greedy.ForEach(socket => socket.Dispose());
        await server.UntilAsync(status => status.Instances == 0, "all to end");
        using var again = Client.Connect(endpoint, "127.0.0.2");
        await server.UntilAsync(status => status.Instances == 1, "the source to be let in again");
        Assert.InRange(server.Log.Count("has refused"), 1, 2);   // not once for each
    }

    [Fact]
    public async Task A_source_that_comes_too_often_is_refused_and_no_other()
    {
        await using var server = await SuperServerCase.StartAsync(
            SuperServerCase.Script("here", "echo here") with { Limits = new() { RatePerSource = new(3, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)) } });
        var endpoint = (await server.StatusAsync()).EndPoint;
        for (var i = 0; i < 4; i++)
        {
            using var client = Client.Connect(endpoint, "127.0.0.2");
            Assert.Equal(i < 3 ? "" : "refused", await client.EndingAsync() == Ending.Broken ? "refused" : "");
        }

        Assert.Equal("here\n", await server.AskAsync(""));
    }

    [Fact]
    public async Task More_than_the_rate_are_refused_for_the_pause_and_then_let_in_again()
    {
        var time = new ManualTime();
        await using var server = await SuperServerCase.StartAsync(
            new SuperServerOptions { TimeProvider = time },
            SuperServerCase.Script("here", "echo here") with { Limits = new() { Rate = new(3, TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)) } });
        for (var i = 0; i < 3; i++)
            Assert.Equal("here\n", await server.AskAsync(""));
        using (var client = await server.ConnectAsync())
            Assert.Equal(Ending.Broken, await client.EndingAsync());
        Assert.Equal(ServiceState.Paused, (await server.StatusAsync()).State);
        Assert.True(server.Log.Contains("is paused"));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(ServiceState.Paused, (await server.StatusAsync()).State);
        time.Advance(TimeSpan.FromSeconds(1));
        await server.UntilAsync(status => status.State == ServiceState.Listening, "the pause to end");
        for (var i = 0; i < 3; i++)
            Assert.Equal("here\n", await server.AskAsync(""));
    }

    [Fact]
    public async Task More_than_may_be_served_at_a_time_wait_and_are_served_then()
    {
        await using var server = await SuperServerCase.StartAsync(Service.Program("cat", SuperServerCase.Free, "cat") with { Limits = new() { Instances = 2 } });
        using var first = await server.ConnectAsync();
        using var second = await server.ConnectAsync();
        using var third = await server.ConnectAsync();
        await third.SayAsync("third");
        await server.UntilAsync(status => status is { State: ServiceState.Full, Instances: 2 }, "the service to be full");
        Assert.Equal("first", await first.AskAsync("first"));
        third.EndSending();
        Assert.Equal("third", await third.ReadToEndAsync());
    }

    [Fact]
    public async Task Programs_for_a_datagram_each_are_limited_in_number_too()
    {
        const string AnswersOnce = "import socket, time; s = socket.socket(fileno=0); data, who = s.recvfrom(100); s.sendto(data, who); time.sleep(1000)";
        await using var server = await SuperServerCase.StartAsync(
            Service.Program("datagrams", ServiceEndpoint.Udp(IPAddress.Loopback, 0), "python3", "-c", AnswersOnce) with { Limits = new() { Instances = 2 } });
        using var client = new UdpClient();
        client.Connect((IPEndPoint)(await server.StatusAsync()).EndPoint);
        for (var i = 1; i <= 2; i++)
        {
            await client.SendAsync(new byte[] { (byte)i }).Within();
            await server.UntilAsync(status => status.Instances == i, "a program to be started for it");
            Assert.Equal([(byte)i], (await client.ReceiveAsync().Within()).Buffer);
        }

        await client.SendAsync(new byte[] { 3 }).Within();
        await server.UntilAsync(status => status.State == ServiceState.Full, "the service to be full");
        var status = await server.StatusAsync();
        Assert.Equal(2, status.Instances);
        using var kill = System.Diagnostics.Process.Start("kill", $"{status.ProcessIds[0]}");
        Assert.Equal([3], (await client.ReceiveAsync().Within()).Buffer);   // it has waited
    }

    [Fact]
    public void What_is_known_of_sources_has_a_bound_and_what_is_open_is_known_on()
    {
        var limits = new ServiceLimits { InstancesPerSource = 1, RatePerSource = new(10, TimeSpan.FromHours(1), TimeSpan.FromHours(1)) };
        var sources = new SourceTable(TimeProvider.System);
        var connected = IPAddress.Parse("192.0.2.1");
        Assert.Null(sources.TryAdd(connected, limits));
        for (var i = 0; i < 300_000; i++)
        {
            var forged = new IPAddress(0x0A_00_00_00L + i);
            Assert.Null(sources.TryAdd(forged, limits));
            sources.Remove(forged, limits);
            Assert.InRange(sources.Count, 1, 65_536);
        }

        Assert.NotNull(sources.TryAdd(connected, limits));
    }

    [Fact]
    public async Task Networks_are_allowed_and_denied()
    {
        await using var server = await SuperServerCase.StartAsync(SuperServerCase.Script("here", "echo here") with
        {
            Allow = [IPNetwork.Parse("127.0.0.0/29")],
            Deny = [IPNetwork.Parse("127.0.0.2/32")],
        });
        var endpoint = (await server.StatusAsync()).EndPoint;
        foreach (var (address, ending) in new[] { ("127.0.0.1", Ending.None), ("127.0.0.2", Ending.Broken), ("127.0.0.3", Ending.None), ("127.0.0.9", Ending.Broken) })
        {
            using var client = Client.Connect(endpoint, address);
            Assert.Equal(ending, await client.EndingAsync());
        }
    }

    [Theory]
    [InlineData("trap '' TERM; (setsid sleep 1000 & echo $!); while :; do sleep 1000; done", true)]
    [InlineData("sleep 1000 & echo $!; setsid sleep 1000 & wait", false)]   // the shell ends when it is asked to, what it waits for does not
    public async Task A_program_that_takes_too_long_is_asked_to_end_and_then_killed_with_all_it_started(string script, bool isStubborn)
    {
        await using var server = await SuperServerCase.StartAsync(
            SuperServerCase.Script("slow", script) with
            {
                Limits = new() { WallTime = Limits.Seconds(0.25), Grace = isStubborn ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromMinutes(1) },
            });
        using var client = await server.ConnectAsync();
        var descendant = await client.LineAsync();
        Assert.True(Directory.Exists($"/proc/{descendant}"));
        Assert.NotEqual(Ending.None, await client.EndingAsync());   // nobody has the connection any more
        await Limits.Until(() => ProcessStatus.Read(int.Parse(descendant, System.Globalization.CultureInfo.InvariantCulture)) is null or { IsDead: true }, "what it started to end");
        Assert.True(server.Log.Contains("is ended") && server.Log.Contains("is killed") == isStubborn, $"{server.Log}");
    }

    [Fact]
    public async Task A_program_that_forks_without_end_or_eats_memory_costs_its_own_client()
    {
        using (var group = Cgroup.TryCreate(new() { Processes = 5, Memory = 10 << 20 }, out var reason))
            Assert.SkipWhen(group is null, $"no control groups: {reason}");
        await using var server = await SuperServerCase.StartAsync(
            SuperServerCase.Script("forks", "while :; do sleep 1000 & done 2>/dev/null") with { Limits = new() { Processes = 20, WallTime = TimeSpan.FromSeconds(1), Grace = TimeSpan.Zero } },
            Service.Program("eats", SuperServerCase.Free, "python3", "-c", "x = bytearray(500 << 20); print('ate')") with { Limits = new() { Memory = 50 << 20 } },
            SuperServerCase.Script("here", "echo here"));
        using var client = await server.ConnectAsync("forks");
        Assert.Equal("", await server.AskAsync("", "eats"));
        Assert.Equal("here\n", await server.AskAsync("", "here"));
        Assert.NotEqual(Ending.None, await client.EndingAsync());
        await server.UntilAsync(status => status is { Instances: 0 }, "the forks to be gone", "forks");
    }

    [Fact]
    public async Task A_program_that_uses_up_its_processor_time_is_ended()
    {
        await using var server = await SuperServerCase.StartAsync(
            SuperServerCase.Script("spins", "while :; do :; done") with { Limits = new() { ProcessorTime = TimeSpan.FromSeconds(1) } });
        using var client = await server.ConnectAsync();
        Assert.NotEqual(Ending.None, await client.EndingAsync());
    }
}
