using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>What only a server of several processes can promise, beside <see cref="StreamModelCases"/>.</summary>
[SupportedOSPlatform("linux")]
public class PreforkStreamServerTests
{
    /// <summary>Of two workers each takes one connection.</summary>
    static readonly StreamServerOptions OneEach = new() { MaxConnections = 2, Grace = TimeSpan.Zero };

    [Fact]
    public async Task A_worker_that_is_killed_costs_its_own_connections_and_another_takes_its_place()
    {
        await using var server = await StreamServer.StartAsync(ServerModel.Prefork(2), ServeLinesAsync, OneEach);
        var (first, second) = (await FindAsync(server), await FindAsync(server));
        Assert.DoesNotContain(Environment.ProcessId, server.Server.WorkerProcessIds);
        Assert.Equal(new[] { first.Process, second.Process }.Order(), server.Server.WorkerProcessIds.Order());

        using (var victim = System.Diagnostics.Process.GetProcessById(first.Process))
            victim.Kill();

        Assert.Null(await first.Client.EndAsync());
        Assert.Equal($"{second.Process}", await second.Client.AskAsync("who"));
        await Limits.Until(() => server.Server.WorkerProcessIds is [_, _] now && !now.Contains(first.Process), "another worker", 20);
        Assert.Equal($"{second.Process}", await second.Client.AskAsync("who"));
        var third = await FindAsync(server);
        Assert.Equal(new[] { second.Process, third.Process }.Order(), server.Server.WorkerProcessIds.Order());
        await Limits.Until(() => server.Server.Connections.Any(row => row.RemoteEndPoint!.Equals(second.Client.Local)), "its connection in the table, from which a slow worker's are missing");
    }

    [Fact]
    public async Task A_connection_is_interrupted_by_its_key_whichever_worker_has_it_and_by_no_other()
    {
        await using var server = await StreamServer.StartAsync(ServerModel.Prefork(2), ServeLinesAsync, OneEach);
        var (first, second) = (await FindAsync(server), await FindAsync(server));
        var key = await first.Client.AskAsync("key");
        Assert.True(CancelKey.TryParse(key, out var parsed));
        var other = key[..^1] + (key[^1] == '0' ? '1' : '0');
        Assert.Equal("False", await second.Client.AskAsync($"cancel {other}"));
        Assert.Equal("False", await second.Client.AskAsync($"cancel 7:{new string('0', 32)}"));

        await first.Client.SayAsync("wait");
        await Limits.Until(() => server.Server.Connections.Count(row => row.State == ConnectionState.Waiting) == 1, "the first to wait");
        await Limits.Until(async () => await second.Client.AskAsync($"cancel {key}") == "True", () => "it to be interrupted from the other worker");
        Assert.Equal("interrupted", await first.Client.HearAsync());

        await first.Client.SayAsync("wait");
        await Limits.Until(() => server.Server.TryCancel(parsed), "it to be interrupted from the program itself");
        Assert.Equal("interrupted", await first.Client.HearAsync());
    }

    [Fact]
    public async Task A_handler_that_cannot_travel_fails_the_start_and_nobody_listens()
    {
        using var kept = new MemoryStream();
        var endpoint = new IPEndPoint(IPAddress.Loopback, ServedApp.FreePort());
        using var source = new CancellationTokenSource();
        var handle = source.Token.WaitHandle;
        await Assert.ThrowsAsync<CannotTravelException>(() => SkeinServer.StartAsync(endpoint, _ => Task.FromResult(handle.WaitOne(0)), ServerModel.Prefork(2)));
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => SkeinServer.StartAsync(
            endpoint, ServeLinesAsync, ServerModel.Prefork(2), new() { Tls = new() { ServerCertificateSelectionCallback = (_, _) => null! } }));
        Assert.Contains("cannot be sent to the workers", refused.Message, StringComparison.Ordinal);
        using var taken = new TcpListener(endpoint);
        taken.Start();   // nobody has it

        Assert.Contains("Another program listens there", (await Assert.ThrowsAsync<IOException>(() => SkeinServer.StartAsync(endpoint, ServeLinesAsync, ServerModel.Prefork(2)))).Message, StringComparison.Ordinal);
    }

    static async Task<Found> FindAsync(StreamServer server)
    {
        var client = new LineClient(await server.ConnectAsync());
        return new(client, int.Parse(await client.AskAsync("who"), System.Globalization.CultureInfo.InvariantCulture));
    }

    static async Task ServeLinesAsync(ConnectionContext connection)
    {
        using var reader = new StreamReader(connection.Transport.Input.AsStream());
        while (await reader.ReadLineAsync(connection.ConnectionClosed) is { } line)
        {
            var interruption = connection.Features.Get<Interruption>()!;
            var answer = line.Split(' ') switch
            {
                ["who"] => $"{Environment.ProcessId}",
                ["key"] => $"{interruption.Key}",
                ["cancel", var key] => $"{CancelKey.TryParse(key, out var parsed) && interruption.TryCancel(parsed)}",
                _ => await WaitAsync(interruption),
            };
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(answer + "\n"), connection.ConnectionClosed);
        }
    }

    static async Task<string> WaitAsync(Interruption interruption)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, interruption.Token);
        }
        catch (OperationCanceledException)
        {
            interruption.Reset();
        }

        return "interrupted";
    }

    sealed record Found(LineClient Client, int Process);

    sealed class LineClient(StreamClient client) : IDisposable
    {
        readonly StreamReader _reader = new(client.Stream);

        public EndPoint Local => client.Socket.LocalEndPoint!;

        public Task SayAsync(string line) => client.SendAsync(line + "\n");

        public async Task<string> HearAsync() => await _reader.ReadLineAsync().Within() ?? throw new EndOfStreamException();

        public async Task<string> AskAsync(string line)
        {
            await SayAsync(line);
            return await HearAsync();
        }

        /// <summary>Waits for its end, which may be a broken connection.</summary>
        public async Task<string?> EndAsync()
        {
            try
            {
                return await _reader.ReadLineAsync().Within();
            }
            catch (IOException)
            {
                return null;
            }
        }

        public void Dispose() => client.Dispose();
    }
}
