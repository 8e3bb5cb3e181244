using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Skein.Tests.Servers;

/// <summary>What every server model promises for streams; where they differ, the model's own numbers say so. A model joins by a line in StreamModelTests.cs.</summary>
[SupportedOSPlatform("linux")]
public abstract partial class StreamModelCases(ServerModel model)
{
    const int Many = 12;

    bool HasThreads => model.Threads > 0;

    int AtATime => HasThreads ? model.Threads : int.MaxValue;

    int Room => model.Kind == ServerModelKind.Dispatcher ? model.Threads + model.Queue : int.MaxValue;

    [Theory]
    [InlineData(Way.Tcp)]
    [InlineData(Way.Tcp6)]
    [InlineData(Way.UnixSocket)]
    [InlineData(Way.Tls)]
    [InlineData(Way.Inherited)]
    public async Task Bytes_arrive_both_ways(Way way)
    {
        Assert.SkipUnless(way != Way.Tcp6 || Socket.OSSupportsIPv6, "this machine has no IPv6");
        await using var server = await StreamServer.StartAsync(model, Echo, way: way);
        foreach (var length in new[] { 1, 100, 300_000 })
        {
            var sent = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
            using var client = await server.ConnectAsync();
            var sending = client.Stream.WriteAsync(sent).AsTask();
            Assert.Equal(sent, await client.ReadAsync(length));
            await sending.Within();
        }

        await Limits.Until(() => server.Server.Connections.Count == 0, "the connections to end");
        Assert.Equal((3, 0, 0), (server.Server.AcceptedCount, server.Server.RefusedCount, server.Server.FailedCount));
    }

    [Fact]
    public async Task A_connection_is_complete_when_its_handler_is()
    {
        await using var server = await StreamServer.StartAsync(model, connection => SayAsync(connection, "all there is"));
        using var client = await server.ConnectAsync("what nobody reads");
        Assert.Equal("all there is", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task As_many_handlers_run_at_a_time_as_the_model_says_and_the_table_shows_them()
    {
        var gate = new Gate();
        await using var server = await StreamServer.StartAsync(model, _ => gate.PassAsync());
        var (running, accepted) = (Math.Min(Many, AtATime), Math.Min(Many, Room));
        var clients = new List<StreamClient>();
        for (var i = 0; i < Many; i++)
            clients.Add(await server.ConnectAsync());

        await Limits.Until(
            () => server.Server.AcceptedCount == Many && server.Server.Connections.Count == accepted && server.CountOf(ConnectionState.Waiting) == running && gate.Inside == running,
            $"{running} handlers at a time");
        Assert.Equal(running, gate.Inside);
        Assert.Equal(accepted - running, server.CountOf(ConnectionState.Queued));
        Assert.Equal(Many - accepted, server.Server.RefusedCount);
        foreach (var refused in clients.Skip(accepted))
            await refused.IsRefusedAsync();

        gate.Open();
        foreach (var client in clients.Take(accepted))
            Assert.Equal("", await client.ReadToEndAsync());
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Connections_that_wait_are_served_in_order_of_arrival()
    {
        Assert.SkipUnless(model.Queue > 0, $"nothing waits under {model}");
        var (gate, order, first) = (new Gate(), new ConcurrentQueue<string>(), model.Threads);
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            if (Interlocked.Decrement(ref first) >= 0)
                await gate.PassAsync();
            else
                order.Enqueue(await LineAsync(connection));
        });
        var clients = new List<StreamClient>();
        for (var i = 0; i < model.Threads + 4; i++)
        {
            clients.Add(await server.ConnectAsync($"{i - model.Threads}\n"));
            await Limits.Until(() => server.Server.Connections.Count == i + 1 && gate.Inside == Math.Min(i + 1, model.Threads), "the connection to be accepted");
        }

        gate.Open();
        foreach (var client in clients)
            Assert.Equal("", await client.ReadToEndAsync());
        clients.ForEach(client => client.Dispose());
        Assert.Equal(["0", "1", "2", "3"], model.Threads == 1 ? order : order.Order());
    }

    [Fact]
    public async Task A_handler_that_blocks_holds_up_no_more_than_its_own_thread()
    {
        Assert.SkipUnless(AtATime > 1 && HasThreads, $"a handler that blocks holds up others under {model}");
        var gate = new Gate();
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            if (await LineAsync(connection) == "block")
                gate.Block();
            await SayAsync(connection, "here");
        });
        var blocking = new List<StreamClient>();
        var blocked = Math.Min(AtATime - 1, 40);   // more than the thread pool begins with
        for (var i = 0; i < blocked; i++)
            blocking.Add(await server.ConnectAsync("block\n"));
        await Limits.Until(() => gate.Inside == blocked, "handlers to block");
        Assert.Equal(blocked, server.CountOf(ConnectionState.Running));

        using var client = await server.ConnectAsync("pass\n");
        Assert.Equal("here", await client.ReadToEndAsync());

        gate.Open();
        foreach (var other in blocking)
            Assert.Equal("here", await other.ReadToEndAsync());
        blocking.ForEach(other => other.Dispose());
    }

    [Fact]
    public async Task A_handler_that_throws_costs_its_own_connection_and_its_client_sees_it_broken()
    {
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            if (await LineAsync(connection) == "throw")
                throw new InvalidOperationException("broken");
            await SayAsync(connection, "here");
        });
        for (var i = 0; i < Many; i++)
        {
            using var broken = await server.ConnectAsync("throw\n");
            await Assert.ThrowsAsync<IOException>(broken.ReadToEndAsync);
        }

        using var client = await server.ConnectAsync("pass\n");
        Assert.Equal("here", await client.ReadToEndAsync());
        Assert.Equal(Many, server.Server.FailedCount);
    }

    [Theory]
    [InlineData(Way.Tcp, false)]
    [InlineData(Way.Tcp, true)]
    [InlineData(Way.Tls, false)]
    [InlineData(Way.UnixSocket, true)]
    public async Task A_client_that_leaves_cancels_the_token_of_its_handler(Way way, bool halfClose)
    {
        var (gate, cancelled) = (new Gate(), new TaskCompletionSource());
        var tell = Callback.To((bool _) => { cancelled.TrySetResult(); });
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            connection.ConnectionClosed.Register(() => _ = tell.InvokeAsync(true).AsTask());
            await gate.PassAsync(connection.ConnectionClosed);
        }, new() { HalfClose = halfClose }, way);
        var client = await server.ConnectAsync("something");
        await Limits.Until(() => gate.Inside == 1, "the handler to run");

        if (halfClose && way == Way.Tcp)
            client.Break();   // only that tells it from a client that has said all
        else
            client.Dispose();

        await cancelled.Task.Within();
        await Limits.Until(() => server.Server.Connections.Count == 0, "the connection to end");
        Assert.Equal(0, server.Server.FailedCount);
    }

    [Fact]
    public async Task A_client_that_has_said_all_gets_its_answer_where_half_closed_connections_are_allowed()
    {
        var gate = new Gate();
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            var text = await AllAsync(connection);
            await gate.PassAsync(connection.ConnectionClosed);
            await SayAsync(connection, $"{text}, {connection.ConnectionClosed.IsCancellationRequested}");
        }, new() { HalfClose = true });
        using var client = await server.ConnectAsync("all I have");
        client.EndSending();
        await Limits.Until(() => gate.Inside == 1, "the handler to run");
        gate.Open();
        Assert.Equal("all I have, False", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_connection_whose_client_has_gone_while_it_waited_is_never_started()
    {
        Assert.SkipUnless(model.Queue > 0, $"nothing waits under {model}");
        var gate = new Gate();
        await using var server = await StreamServer.StartAsync(model, _ => gate.PassAsync());
        var busy = new List<StreamClient>();
        for (var i = 0; i < model.Threads; i++)
            busy.Add(await server.ConnectAsync());
        await Limits.Until(() => gate.Inside == model.Threads, "all threads busy");
        var client = await server.ConnectAsync("wait");
        await Limits.Until(() => server.CountOf(ConnectionState.Queued) == 1, "the connection to wait");

        client.Dispose();

        await Limits.Until(() => server.Server.Connections.Count == model.Threads, "the connection to leave the queue");
        gate.Open();
        foreach (var other in busy)
            Assert.Equal("", await other.ReadToEndAsync());
        busy.ForEach(other => other.Dispose());
        Assert.Equal(model.Threads, gate.Entered);
    }

    [Theory]
    [InlineData(Way.Tcp)]
    [InlineData(Way.Tls)]
    public async Task A_handler_stays_on_its_thread(Way way)
    {
        var threads = new List<string>();
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            var thread = Environment.CurrentManagedThreadId;
            var left = false;
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal("x", await LineAsync(connection));
                left |= thread != Environment.CurrentManagedThreadId;
                await Task.Delay(TimeSpan.FromMilliseconds(1));
                left |= thread != Environment.CurrentManagedThreadId;
                await Task.Run(() => { });
                left |= thread != Environment.CurrentManagedThreadId;
            }

            var read = await connection.Transport.Input.ReadAsync().ConfigureAwait(false);   // also without the context
            left |= thread != Environment.CurrentManagedThreadId || !read.Buffer.IsEmpty && read.Buffer.ToArray() is not [(byte)'y', ..];
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes($"{left} {Environment.ProcessId}.{thread}")).ConfigureAwait(false);
        }, way: way);
        for (var clients = 0; clients < 2; clients++)
        {
            using var client = await server.ConnectAsync();
            for (var i = 0; i < 5; i++)
                await client.SendAsync("x\n");
            await Limits.Until(() => server.StateOf(0) == ConnectionState.Reading, "the handler to have read all");
            await client.SendAsync("y");
            Assert.StartsWith("False ", await client.ReadToEndAsync() is var answer ? answer : "");
            threads.Add(answer);
            await Limits.Until(() => server.Server.Connections.Count == 0, "the connection to end");
        }

        if (!HasThreads)
            Assert.True(threads.Distinct().Count() <= Math.Max(1, model.Workers), string.Join('\n', threads));   // one thread for all of a process
    }

    [Fact]
    public async Task The_table_shows_what_each_connection_does()
    {
        Assert.SkipUnless(AtATime > 2, $"{model} runs fewer at a time");
        var gate = new Gate();
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            var wish = await LineAsync(connection);
            if (wish == "wait")
                await gate.PassAsync(connection.ConnectionClosed);
            else if (wish == "write")
                await connection.Transport.Output.WriteAsync(new byte[20_000_000], connection.ConnectionClosed);
        });
        using var reading = await server.ConnectAsync("half of a li");
        await Limits.Until(() => server.StateOf(0) == ConnectionState.Reading, "the first to await the rest");
        using var waiting = await server.ConnectAsync("wait\n");
        await Limits.Until(() => server.StateOf(1) == ConnectionState.Waiting, "the second to await the gate");
        using var writing = await server.ConnectAsync("write\n");
        await Limits.Until(() => server.StateOf(2) == ConnectionState.Writing && server.Server.Connections[2].BytesSent > 10_000, "the third to await that its client reads");

        var rows = server.Server.Connections;
        Assert.Equal([12, 5, 6], rows.Select(row => (int)row.BytesReceived));
        Assert.True(rows[2].BytesSent < 20_000_000);
        Assert.All(rows, row => Assert.Equal(HasThreads, row.Thread is not null));
        Assert.Equal(3, rows.Select(row => (row.Id, row.RemoteEndPoint)).Distinct().Count());
        gate.Open();
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_up_nobody_on_another_thread_or_on_the_loop()
    {
        Assert.SkipUnless(AtATime > 1, $"{model} runs one at a time");
        var much = Enumerable.Range(0, 16_000_000).Select(i => (byte)i).ToArray();
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            if (await LineAsync(connection) == "much")
                await connection.Transport.Output.WriteAsync(much);
            else
                await SayAsync(connection, "here");
        });
        using var slow = await server.ConnectAsync("much\n");
        await Limits.Until(() => server.StateOf(0) is ConnectionState.Writing, "the handler to await that its client reads");

        for (var i = 0; i < Many; i++)
        {
            using var client = await server.ConnectAsync("little\n");
            Assert.Equal("here", await client.ReadToEndAsync());
        }

        var read = await slow.ReadAsync(much.Length);
        Assert.True(much.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task Clients_that_never_agree_on_keys_hold_no_thread_and_are_disconnected()
    {
        await using var server = await StreamServer.StartAsync(model, connection => SayAsync(connection, "here"), new() { TlsTimeout = Limits.Seconds(0.5) }, Way.Tls);
        using (var first = await server.ConnectAsync())
            Assert.Equal("here", await first.ReadToEndAsync());   // now its code is compiled
        var silent = new List<Socket>();
        for (var i = 0; i < Many; i++)
        {
            silent.Add(new(server.Server.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
            await silent[i].ConnectAsync(server.Server.EndPoint).Within();
            if (i % 2 == 0)
                await silent[i].SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray()).Within();
        }

        using var client = await server.ConnectAsync();
        Assert.Equal("here", await client.ReadToEndAsync());
        await Limits.Until(() => server.Server.Connections.Count == 0, "the silent ones to be disconnected");
        silent.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task More_connections_than_there_may_be_wait_outside()
    {
        Assert.SkipUnless(AtATime > 1, $"{model} runs one at a time");
        await using var server = await StreamServer.StartAsync(model, Echo, new() { MaxConnections = 2 });
        var first = await server.ConnectAsync();
        using var second = await server.ConnectAsync();
        using var third = await server.ConnectAsync("x");
        await Limits.Until(() => server.Server.Connections.Count == 2, "two connections");
        await second.SendAsync("y");
        Assert.Equal("y"u8.ToArray(), await second.ReadAsync(1));
        Assert.Equal(2, server.Server.AcceptedCount);

        first.Dispose();

        Assert.Equal("x"u8.ToArray(), await third.ReadAsync(1));
    }

    [Fact]
    public async Task Stopping_waits_for_what_runs_and_what_waits_and_refuses_what_comes()
    {
        var gate = new Gate();
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            await gate.PassAsync();
            await SayAsync(connection, "here");
        });
        var (running, waiting) = (Math.Min(3, AtATime), model.Queue > 0 ? 2 : 0);
        var clients = new List<StreamClient>();
        for (var i = 0; i < running + waiting; i++)
            clients.Add(await server.ConnectAsync());
        await Limits.Until(() => gate.Inside == running && server.CountOf(ConnectionState.Queued) == waiting, "connections to run and to wait");

        var stopping = server.Server.StopAsync(Limits.Seconds(10));
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)   // until it no longer listens
                (await server.ConnectAsync()).Dispose();
        });
        Assert.False(stopping.IsCompleted);
        gate.Open();

        await stopping.Within();
        foreach (var client in clients)
            Assert.Equal("here", await client.ReadToEndAsync());
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Handlers_hear_that_the_server_stops()
    {
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            var stops = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
            await Task.Delay(Timeout.InfiniteTimeSpan, stops).ContinueWith(_ => { }, TaskScheduler.Default);
            await SayAsync(connection, "good-bye");
        });
        using var client = await server.ConnectAsync();
        await Limits.Until(() => server.StateOf(0) == ConnectionState.Waiting, "the handler to wait");

        await server.Server.StopAsync(Limits.Seconds(10)).Within();

        Assert.Equal("good-bye", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Stopping_ends_at_its_deadline_and_cancels_what_is_left_and_no_thread_remains()
    {
        var (gate, threads) = (new Gate(), new ThreadsHere());
        await using var server = await StreamServer.StartAsync(model, async connection =>
        {
            threads.Add();
            await gate.PassAsync(connection.ConnectionClosed);
        });
        var running = Math.Min(3, AtATime);
        var clients = new List<StreamClient>();
        for (var i = 0; i < running + (model.Queue > 0 ? 1 : 0); i++)
            clients.Add(await server.ConnectAsync());
        await Limits.Until(() => gate.Inside == running && server.Server.Connections.Count == clients.Count, "connections to run and to wait");

        await server.Server.StopAsync(TimeSpan.FromMilliseconds(50)).Within();

        foreach (var client in clients)
            await client.IsRefusedAsync();
        await Limits.Until(() => gate.Inside == 0, "the handlers to end");
        Assert.Equal(running, gate.Entered);   // what waited was never started
        Assert.Empty(server.Server.Connections);
        await Limits.Until(() => threads.HaveEnded, "the threads to end");
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Clients_that_come_talk_and_leave_as_they_like_leave_nothing_behind()
    {
        await using var server = await StreamServer.StartAsync(model, Echo);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async seed =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 50; i++)
            {
                using var client = await server.ConnectAsync();
                try
                {
                    var says = random.Next(4) > 0;
                    if (says)
                        await client.SendAsync(new string('x', random.Next(1, 100_000)));
                    if (says && random.Next(4) > 0)
                        _ = await client.Stream.ReadAsync(new byte[random.Next(1, 1000)]).Within();
                }
                catch (IOException)
                {
                    // Refused: all threads are busy.
                }

                if (random.Next(2) == 0)
                    client.Break();
            }
        })).Within(20);

        await Limits.Until(() => server.Server is { AcceptedCount: 200, Connections.Count: 0 }, "all connections to end");
        Assert.Equal(0, server.Server.FailedCount);
        using var last = await server.ConnectAsync("x");
        Assert.Equal("x"u8.ToArray(), await last.ReadAsync(1));
    }

    static Task Echo(ConnectionContext connection) => connection.Transport.Input.CopyToAsync(connection.Transport.Output, connection.ConnectionClosed);

    static async Task SayAsync(ConnectionContext connection, string text) => await connection.Transport.Output.WriteAsync(Encoding.UTF8.GetBytes(text));

    static async Task<string> AllAsync(ConnectionContext connection)
    {
        using var reader = new StreamReader(connection.Transport.Input.AsStream());
        return await reader.ReadToEndAsync();
    }

    static async Task<string> LineAsync(ConnectionContext connection)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync();
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.UTF8.GetString(read.Buffer.Slice(0, end));
                connection.Transport.Input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }

            connection.Transport.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
                throw new EndOfStreamException();
        }
    }
}
