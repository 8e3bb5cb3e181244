using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>What is read before a handler has its thread.</summary>
public abstract partial class StreamModelCases
{
    [Fact]
    public async Task Clients_that_stop_in_the_middle_of_a_request_take_no_thread_and_hold_up_nobody()
    {
        await using var server = await StreamServer.StartAsync(model, connection => SayAsync(connection, $"answer to {connection.Items["line"]}"), new() { Receive = ReceiveLineAsync });
        var slow = new List<StreamClient>();
        for (var i = 0; i < Many; i++)
            slow.Add(await server.ConnectAsync("half of a"));
        await Limits.Until(() => server.CountOf(ConnectionState.Reading) == Many, "all to have sent a half");
        Assert.All(server.Server.Connections, row => Assert.Null(row.Thread));

        using var whole = await server.ConnectAsync("line\n");
        Assert.Equal("answer to line", await whole.ReadToEndAsync());
        Assert.Equal(Many, server.CountOf(ConnectionState.Reading));
        slow[0].Dispose();
        await slow[1].SendAsync(" line\n");
        Assert.Equal("answer to half of a line", await slow[1].ReadToEndAsync());
        await Limits.Until(() => server.Server.Connections.Count == Many - 2, "the one that has left to be forgotten");
        Assert.Equal(0, server.Server.FailedCount);
        slow.ForEach(client => client.Dispose());
    }

    [Theory]
    [InlineData(Way.Tcp)]
    [InlineData(Way.Tls)]
    public async Task A_request_that_cannot_be_received_costs_its_own_connection(Way way)
    {
        await using var server = await StreamServer.StartAsync(model, connection => SayAsync(connection, "served"), new() { Receive = ReceiveLineAsync }, way);
        using (var bad = await server.ConnectAsync("bad\n"))
            await bad.IsRefusedAsync();
        using var good = await server.ConnectAsync("good\n");
        Assert.Equal("served", await good.ReadToEndAsync());
        await Limits.Until(() => server.Server.Connections.Count == 0, "the connections to end");
        Assert.Equal(1, server.Server.FailedCount);
    }

    static async Task ReceiveLineAsync(ConnectionContext connection)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync();
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.ASCII.GetString(read.Buffer.Slice(0, end));
                connection.Transport.Input.AdvanceTo(read.Buffer.GetPosition(1, end));
                connection.Items["line"] = line != "bad" ? line : throw new InvalidDataException("a bad line");
                return;
            }

            if (read.IsCompleted)
                return;
            connection.Transport.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
