using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>What a reload leaves behind, and what a stop finds of it.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerReloadTests
{
    const string AcceptsForEver = """
        import socket
        listener = socket.socket(fileno=3)
        while True:
            connection, _ = listener.accept()
            connection.sendall(b'taken')
            connection.close()
        """;

    [Fact]
    public async Task Workers_that_a_reload_has_replaced_end_with_the_server_also_while_they_still_serve()
    {
        var server = await SuperServerCase.StartAsync(Service.Handler("handler", SuperServerCase.Free, WaitAsync) with { Workers = 2 });
        var old = (await server.StatusAsync()).ProcessIds;
        Assert.Equal(2, old.Count);
        using var client = await server.ConnectAsync();
        await client.SayAsync("x\n");
        Assert.Equal("here", await client.LineAsync());

        await server.Server.ReloadAsync([Service.Handler("handler", SuperServerCase.Free, SuperServerHandlerTests.WhoAsync) with { Workers = 1 }]).Within(30);
        Assert.DoesNotContain((await server.StatusAsync()).ProcessIds.Single(), old);
        Assert.DoesNotContain(old, IsGone);   // a client is still served
        await server.DisposeAsync();

        await Limits.Until(() => old.All(IsGone), "the old workers to end");
        Assert.NotEqual(Ending.None, await client.EndingAsync());
    }

    [Fact]
    public async Task A_stop_gives_up_a_reload_that_waits_for_a_program_to_become_ready()
    {
        using var folder = new Folder();
        var here = SuperServerCase.Script("here", "echo here");
        await using var server = await SuperServerCase.StartAsync(new SuperServerOptions { ReadyTimeout = TimeSpan.FromDays(1) }, here);
        var never = SuperServerCase.Script("never", $"echo $$ > {folder["id.new"]}; mv {folder["id.new"]} {folder["id"]}; exec sleep 1000") with { Waits = true, StartsAtOnce = true, Notifies = true };
        var reloading = server.Server.ReloadAsync([here, never]);
        await Limits.Until(() => File.Exists(folder["id"]), "the program to run");

        await server.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => reloading.Within());
        Assert.True(IsGone(int.Parse(await File.ReadAllTextAsync(folder["id"]), System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task A_program_that_has_the_socket_of_a_service_that_is_no_more_ends_and_the_address_is_free_again()
    {
        var port = ServedApp.FreePort();
        var here = SuperServerCase.Script("here", "echo here");
        var waits = Service.Program("waits", ServiceEndpoint.Tcp(IPAddress.Loopback, port), "python3", "-c", AcceptsForEver) with { Waits = true };
        await using var server = await SuperServerCase.StartAsync(here, waits);
        Assert.Equal("taken", await server.AskAsync("", "waits"));
        var program = (await server.StatusAsync("waits")).ProcessIds.Single();

        await server.Server.ReloadAsync([here]).Within();
        await Limits.Until(() => IsGone(program), "the program to end");
        await Assert.ThrowsAsync<SocketException>(() => Client.ConnectAsync(waits.Endpoint.Address));

        await server.Server.ReloadAsync([here, waits]).Within();
        Assert.Equal("taken", await server.AskAsync("", "waits"));
    }

    [Fact]
    public async Task A_program_that_has_the_socket_gives_it_back_when_a_program_for_each_connection_takes_its_place()
    {
        var endpoint = ServiceEndpoint.Tcp(IPAddress.Loopback, ServedApp.FreePort());
        await using var server = await SuperServerCase.StartAsync(Service.Program("service", endpoint, "python3", "-c", AcceptsForEver) with { Waits = true });
        Assert.Equal("taken", await server.AskAsync(""));
        var program = (await server.StatusAsync()).ProcessIds.Single();

        await server.Server.ReloadAsync([SuperServerCase.Script("service", "echo other", endpoint)]).Within();
        await Limits.Until(() => IsGone(program), "the program to end");
        Assert.Equal("other\n", await server.AskAsync(""));
    }

    static async Task WaitAsync(ConnectionContext connection)
    {
        await connection.Transport.Output.WriteAsync("here\n"u8.ToArray());
        await Task.Delay(Timeout.InfiniteTimeSpan, connection.ConnectionClosed);
    }

    static bool IsGone(int process) => ProcessStatus.Read(process) is null or { IsDead: true };
}
