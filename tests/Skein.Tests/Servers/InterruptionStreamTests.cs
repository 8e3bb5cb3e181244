using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>Whatever interrupts a connection cancels the token of its handler, which can go on with the next piece of work.</summary>
[SupportedOSPlatform("linux")]
public class InterruptionStreamTests
{
    public static TheoryData<string> Models => ["EventLoop", "Threaded", "Dispatcher"];

    static ServerModel Model(string name) => name switch
    {
        "EventLoop" => ServerModel.EventLoop,
        "Threaded" => ServerModel.Threaded,
        _ => ServerModel.Dispatcher(threads: 4, queue: 4),
    };

    [Theory]
    [MemberData(nameof(Models))]
    public async Task A_connection_is_interrupted_by_its_key_on_another_one_and_goes_on(string model)
    {
        await using var server = await StreamServer.StartAsync(Model(model), ServeLines);
        using var client = await server.ConnectAsync();
        using var lines = new StreamReader(client.Stream);
        var key = (await lines.ReadLineAsync().Within())!;
        Assert.True(CancelKey.TryParse(key, out _));

        for (var round = 0; round < 3; round++)
        {
            await client.SendAsync("wait\n");
            Assert.Equal("waiting", await lines.ReadLineAsync().Within());
            Assert.Equal("True", await CancelAsync(server, key));
            Assert.Equal("interrupted: Cancelled", await lines.ReadLineAsync().Within());
        }

        await client.SendAsync("echo\n");
        Assert.Equal("echo", await lines.ReadLineAsync().Within());
    }

    [Fact]
    public async Task A_guessed_key_interrupts_nobody()
    {
        await using var server = await StreamServer.StartAsync(ServerModel.EventLoop, ServeLines);
        using var client = await server.ConnectAsync();
        using var lines = new StreamReader(client.Stream);
        var key = (await lines.ReadLineAsync().Within())!;
        await client.SendAsync("wait\n");
        Assert.Equal("waiting", await lines.ReadLineAsync().Within());

        var number = key.Split(':')[0];
        var nearly = key[..^1] + (key[^1] == '0' ? '1' : '0');
        foreach (var guess in new[] { $"{number}:{new string('0', 32)}", nearly, $"{number}:", key + "0", "nonsense", $"999:{key.Split(':')[1]}" })
            Assert.Equal("False", await CancelAsync(server, guess));

        Assert.Equal("True", await CancelAsync(server, key));
        Assert.Equal("interrupted: Cancelled", await lines.ReadLineAsync().Within());
        Assert.Equal("False", await CancelAsync(server, key));   // nothing is left to interrupt; and the next work is another's to name
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Urgent_data_is_heard_however_much_is_queued_before_it_each_time_and_by_its_own_handler_only(string model)
    {
        await using var server = await StreamServer.StartAsync(Model(model), ServeLines, new() { ReadAhead = 8 << 20 });
        using var other = await server.ConnectAsync();
        using var others = new StreamReader(other.Stream);
        await others.ReadLineAsync().Within();
        await other.SendAsync("wait\n");
        Assert.Equal("waiting", await others.ReadLineAsync().Within());

        using var client = await server.ConnectAsync();
        using var lines = new StreamReader(client.Stream);
        await lines.ReadLineAsync().Within();
        var queued = string.Concat(Enumerable.Repeat("\n", 4 << 20));
        for (var round = 0; round < 2; round++)
        {
            await client.SendAsync("wait\n");
            Assert.Equal("waiting", await lines.ReadLineAsync().Within());
            await client.SendAsync(queued);
            await client.Socket.SendAsync(new byte[] { 33 }, SocketFlags.OutOfBand).Within();
            Assert.Equal("interrupted: UrgentData", await lines.ReadLineAsync().Within());
        }

        await other.SendAsync("\n");
        await client.SendAsync("echo\n");
        Assert.Equal("echo", await lines.ReadLineAsync().Within());   // nothing was lost
        Assert.False(others.ReadLineAsync().IsCompleted);   // and nobody else was interrupted
    }

    [Fact]
    public async Task Urgent_data_is_heard_by_a_handler_that_holds_the_event_loop()
    {
        await using var server = await StreamServer.StartAsync(ServerModel.EventLoop, connection =>
        {
            var token = connection.Features.Get<Interruption>()!.Token;
            var started = TimeProvider.System.GetTimestamp();
            while (!token.IsCancellationRequested && TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(10))
            {
            }

            connection.Transport.Output.Write(token.IsCancellationRequested ? "heard"u8 : "deaf"u8);
            return connection.Transport.Output.FlushAsync().AsTask();
        });
        using var client = await server.ConnectAsync("x");
        await Limits.Until(() => server.StateOf(0) == ConnectionState.Running, "the handler to hold the loop");
        await client.Socket.SendAsync(new byte[] { 33 }, SocketFlags.OutOfBand).Within();
        Assert.Equal("heard", await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task What_a_handler_has_registered_with_its_token_may_fail_and_costs_nobody_else(string model)
    {
        var log = new LineLog();
        await using var server = await StreamServer.StartAsync(Model(model), async connection =>
        {
            connection.ConnectionClosed.Register(static () => throw new InvalidOperationException("registered"));
            connection.Features.Get<Interruption>()!.Token.Register(static () => throw new InvalidOperationException("registered"));
            await connection.Transport.Output.WriteAsync("here"u8.ToArray());
            await connection.Transport.Input.ReadAsync(connection.ConnectionClosed);
        }, new() { LoggerFactory = log });
        using (var client = await server.ConnectAsync())
        {
            Assert.Equal("here"u8.ToArray(), await client.ReadAsync(4));
            client.Break();
        }

        await Limits.Until(() => log.Lines.Any(line => line.Contains("has registered with its token failed", StringComparison.Ordinal)), "the failure to be reported");
        using var other = await server.ConnectAsync();
        Assert.Equal("here"u8.ToArray(), await other.ReadAsync(4));
    }

    [Fact]
    public async Task A_handler_that_knows_only_its_connections_token_is_interrupted_by_that()
    {
        var cancelled = new TaskCompletionSource<bool>();
        await using var server = await StreamServer.StartAsync(ServerModel.Threaded, async connection =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, connection.ConnectionClosed).ContinueWith(waiting => cancelled.TrySetResult(waiting.IsCanceled), TaskScheduler.Default);
            connection.ConnectionClosed.ThrowIfCancellationRequested();
        });
        using var client = await server.ConnectAsync("x");
        await Limits.Until(() => server.CountOf(ConnectionState.Waiting) == 1, "the handler to wait");

        await client.Socket.SendAsync(new byte[] { 33 }, SocketFlags.OutOfBand).Within();

        Assert.True(await cancelled.Task.Within());
        await client.IsRefusedAsync();
        Assert.Equal(0, server.Server.FailedCount);
    }

    [Fact]
    public async Task A_handler_that_takes_too_long_is_interrupted_and_its_next_work_has_its_time_again()
    {
        await using var server = await StreamServer.StartAsync(ServerModel.EventLoop, ServeLines, new() { Timeout = Limits.Seconds(0.25) });
        using var client = await server.ConnectAsync();
        using var lines = new StreamReader(client.Stream);
        await lines.ReadLineAsync().Within();
        for (var round = 0; round < 2; round++)
        {
            await client.SendAsync("wait\n");
            Assert.Equal("waiting", await lines.ReadLineAsync().Within());
            Assert.Equal("interrupted: TimedOut", await lines.ReadLineAsync().Within());
        }
    }

    [Fact]
    public async Task A_client_that_leaves_interrupts_too_and_a_handler_that_does_not_listen_is_reported()
    {
        using var log = new LineLog();
        var (gate, causes) = (new Gate(), new ConcurrentQueue<InterruptionCause?>());
        await using var server = await StreamServer.StartAsync(
            ServerModel.Threaded,
            connection =>
            {
                gate.Block();
                causes.Enqueue(connection.Features.Get<Interruption>()!.Cause);
                return Task.CompletedTask;
            },
            new() { DeafAfter = TimeSpan.FromMilliseconds(50), LoggerFactory = log });
        using (await server.ConnectAsync("x"))
            await Limits.Until(() => gate.Inside == 1, "the handler to run");

        await Limits.Until(() => log.Lines.Any(line => line.Contains("goes on for longer than", StringComparison.Ordinal) && line.Contains("ClientLeft", StringComparison.Ordinal)), "the report");
        gate.Open();
        await Limits.Until(() => causes.Count == 1, "the handler to end");
        Assert.Equal([InterruptionCause.ClientLeft], causes);
    }

    static async Task<string> CancelAsync(StreamServer server, string key)
    {
        using var client = await server.ConnectAsync($"cancel {key}\n");
        using var lines = new StreamReader(client.Stream);
        await lines.ReadLineAsync().Within();
        return (await lines.ReadLineAsync().Within())!;
    }

    /// <summary>A protocol of lines: first the key, then <c>wait</c>, <c>echo</c>, and <c>cancel KEY</c> of another connection.</summary>
    static async Task ServeLines(ConnectionContext connection)
    {
        var interruption = connection.Features.Get<Interruption>()!;
        _ = interruption.Token;   // it listens from its beginning: who does not loses its connection
        using var reader = new StreamReader(connection.Transport.Input.AsStream());
        await using var writer = new StreamWriter(connection.Transport.Output.AsStream()) { AutoFlush = true };
        await writer.WriteLineAsync($"{interruption.Key}");
        while (await reader.ReadLineAsync() is { } line)
        {
            try
            {
                if (line.StartsWith("cancel ", StringComparison.Ordinal))
                {
                    await writer.WriteLineAsync($"{CancelKey.TryParse(line[7..], out var key) && interruption.TryCancel(key)}");
                }
                else if (line == "wait")
                {
                    interruption.Reset();
                    await writer.WriteLineAsync("waiting");
                    await Task.Delay(Timeout.InfiniteTimeSpan, interruption.Token);
                }
                else if (line == "echo")
                {
                    await writer.WriteLineAsync(line);
                }
            }
            catch (OperationCanceledException) when (interruption.Cause != InterruptionCause.ClientLeft)
            {
                await writer.WriteLineAsync($"interrupted: {interruption.Cause}");
            }
        }
    }
}
