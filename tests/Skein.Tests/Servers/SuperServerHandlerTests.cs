using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>C# functions of a super-server, in warm workers or in itself, and the simple protocols of the RFCs.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerHandlerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handler_serves_connections_in_warm_workers_or_in_the_super_server_itself(bool inWorkers)
    {
        await using var server = await SuperServerCase.StartAsync(
            Service.Handler("who", SuperServerCase.Free, WhoAsync) with { Workers = 2, Place = inWorkers ? Place.OsProcess : Place.Thread });
        var answers = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            using var client = await server.ConnectAsync();
            var answer = await client.AskAsync("hello");
            Assert.EndsWith($" {client.Local} hello", answer, StringComparison.Ordinal);
            answers.Add(answer.Split(' ')[0]);
        }

        await server.UntilAsync(status => status is { Instances: 0, Started: 20 }, "all to end");
        Assert.Equal(!inWorkers, answers.All(id => id == $"{Environment.ProcessId}"));
        Assert.InRange(answers.Distinct().Count(), 1, 2);
    }

    [Fact]
    public async Task Captured_variables_travel_with_a_handler()
    {
        var greeting = "good day";
        await using var server = await SuperServerCase.StartAsync(
            Service.Handler("greets", SuperServerCase.Free, async connection => await connection.Transport.Output.WriteAsync(Encoding.UTF8.GetBytes(greeting))));
        Assert.Equal("good day", await server.AskAsync(""));
    }

    [Fact]
    public async Task A_handler_that_kills_its_worker_costs_the_connections_of_that_worker_and_another_takes_its_place()
    {
        await using var server = await SuperServerCase.StartAsync(Service.Handler("who", SuperServerCase.Free, WhoAsync) with { Workers = 1 });
        var first = (await server.AskAsync("hello")).Split(' ')[0];
        using (var client = await server.ConnectAsync())
        {
            await client.SayAsync("die");
            client.EndSending();
            Assert.NotEqual(Ending.None, await client.EndingAsync());
        }

        await server.UntilAsync(status => status.Instances == 0, "its connections to be counted as ended");
        var second = (await server.AskAsync("hello")).Split(' ')[0];
        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task A_handler_that_does_not_listen_is_killed_with_its_worker_when_its_time_is_over()
    {
        await using var server = await SuperServerCase.StartAsync(Service.Handler("who", SuperServerCase.Free, WhoAsync) with
        {
            Workers = 1,
            Limits = new() { WallTime = Limits.Seconds(0.5), Grace = TimeSpan.FromMilliseconds(200) },
        });
        using var client = await server.ConnectAsync();
        await client.SayAsync("spin");
        client.EndSending();
        Assert.NotEqual(Ending.None, await client.EndingAsync());
        await server.UntilAsync(status => status.Instances == 0, "it to be counted as ended");
        Assert.True(server.Log.Contains("is killed"), $"{server.Log}");
        var answer = "";
        for (var tries = 0; tries < 50 && !answer.Contains(" hello", StringComparison.Ordinal); tries++)   // on a busy machine a new worker may take longer than what is allowed here
        {
            using var next = await server.ConnectAsync();
            await next.SayAsync("hello");
            next.EndSending();
            try
            {
                answer = await next.ReadToEndAsync();
            }
            catch (IOException)
            {
                // Its time was over.
            }
        }

        Assert.Contains(" hello", answer);
    }

    [Fact]
    public async Task A_connection_over_which_nothing_goes_is_ended()
    {
        await using var server = await SuperServerCase.StartAsync(
            Service.Handler("handler", SuperServerCase.Free, WhoAsync) with { Workers = 1, Limits = new() { IdleTimeout = Limits.Seconds(0.5) } },
            Service.Program("program", SuperServerCase.Free, "cat") with { Limits = new() { IdleTimeout = Limits.Seconds(0.5) } });
        foreach (var name in new[] { "handler", "program" })
        {
            using var idle = await server.ConnectAsync(name);
            using var busy = await server.ConnectAsync(name);
            var ending = idle.EndingAsync();
            while (!ending.IsCompleted)
            {
                await busy.SayAsync("x");
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }

            Assert.NotEqual(Ending.None, await ending);
            busy.EndSending();
            Assert.Contains("xxx", await busy.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task The_simple_protocols_are_served_over_connections_and_datagrams()
    {
        var services = from kind in Enum.GetValues<BuiltInService>()
                       from udp in new[] { false, true }
                       select Service.BuiltIn($"{kind} {udp}", udp ? ServiceEndpoint.Udp(IPAddress.Loopback, 0) : SuperServerCase.Free, kind);
        await using var server = await SuperServerCase.StartAsync([.. services]);
        Assert.Equal("hello", await server.AskAsync("hello", "Echo False"));
        Assert.Equal("", await server.AskAsync("hello", "Discard False"));
        Assert.Contains($" {TimeProvider.System.GetLocalNow().Year}\r\n", await server.AskAsync("", "Daytime False"));
        using (var client = await server.ConnectAsync("Chargen False"))
        {
            Assert.Equal(""" !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefg""" + "\r", await client.LineAsync());
            Assert.Equal("""!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefgh""" + "\r", await client.LineAsync());
        }

        Assert.Equal("hello"u8.ToArray(), await OneDatagramAsync(server, "Echo True"));
        Assert.Equal(74, (await OneDatagramAsync(server, "Chargen True")).Length);
        Assert.Contains($"{TimeProvider.System.GetLocalNow().Year}", Encoding.ASCII.GetString(await OneDatagramAsync(server, "Daytime True")));
        var time = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(await OneDatagramAsync(server, "Time True"));
        Assert.InRange(time - 2_208_988_800L, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 60, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1);
        await server.UntilAsync(status => status.Instances == 0, "the endless one to end with its client", "Chargen False");
    }

    [Fact]
    public async Task An_echo_of_a_datagram_is_the_whole_of_it()
    {
        await using var server = await SuperServerCase.StartAsync(
            Service.BuiltIn("echo", ServiceEndpoint.Udp(IPAddress.Loopback, 0), BuiltInService.Echo));
        using var client = new UdpClient();
        client.Connect((IPEndPoint)(await server.StatusAsync()).EndPoint);
        var sent = new byte[60_000];
        Random.Shared.NextBytes(sent);
        await client.SendAsync(sent).Within();
        Assert.Equal(sent, (await client.ReceiveAsync().Within()).Buffer);
    }

    [Fact]
    public async Task Who_connects_to_where_workers_get_their_connections_and_says_nothing_holds_up_nobody()
    {
        await using var server = await SuperServerCase.StartAsync(
            Service.Handler("who", SuperServerCase.Free, WhoAsync) with { Workers = 1 }, SuperServerCase.Script("other", "echo here"));
        // Those of other tests in this process are among them, and come and go.
        var silent = Names().Select(name => (Name: name, Socket: Connect(name))).Where(one => one.Socket is not null).ToList();
        Assert.NotEmpty(silent);
        Assert.Equal("here\n", await server.AskAsync("", "other"));
        Assert.DoesNotContain(silent, one => one.Socket!.Poll(0, SelectMode.SelectRead) && Names().Contains(one.Name));   // given up, before others were served
        Assert.Contains(" hello", await server.AskAsync("hello", "who"));

        foreach (var (name, socket) in silent)
        {
            try
            {
                socket!.Send("0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"u8);
                Assert.Equal(0, await socket.ReceiveAsync(new byte[1]).Within());   // a worker that does not know the secret is none
            }
            catch (SocketException) when (!Names().Contains(name))
            {
                // Its server has been stopped, by its own test.
            }

            socket!.Dispose();
        }

        static string[] Names() => [.. File.ReadLines("/proc/net/unix").Where(line => line.Contains(" 00010000 ", StringComparison.Ordinal))   // that listen
            .Select(line => line.Split(' ')[^1]).Where(name => name.StartsWith($"@skein-{Environment.ProcessId}-", StringComparison.Ordinal))];

        static Socket? Connect(string name)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint("\0" + name[1..]));
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                return null;
            }
        }
    }

    [Fact]
    public void A_simple_service_answers_no_port_of_the_system_for_that_may_be_one_that_answers_too()
    {
        Assert.False(BuiltInProtocol.MayAnswer(7));
        Assert.True(BuiltInProtocol.MayAnswer(40_000));
    }

    static async Task<byte[]> OneDatagramAsync(SuperServerCase server, string name)
    {
        using var client = new UdpClient();
        client.Connect((IPEndPoint)(await server.StatusAsync(name)).EndPoint);
        await client.SendAsync("hello"u8.ToArray()).Within();
        return (await client.ReceiveAsync().Within()).Buffer;
    }

    internal static async Task WhoAsync(ConnectionContext connection)
    {
        var text = new StringBuilder();
        while (await connection.Transport.Input.ReadAsync() is var read)
        {
            foreach (var part in read.Buffer)
                text.Append(Encoding.UTF8.GetString(part.Span));
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        if (text.ToString() == "die")
            KillSelf();
        while (text.ToString() == "spin")
            Thread.SpinWait(1000);
        await connection.Transport.Output.WriteAsync(Encoding.UTF8.GetBytes($"{Environment.ProcessId} {connection.RemoteEndPoint} {text}"));
    }

    static void KillSelf()
    {
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        self.Kill();
    }
}
