using System.Collections.Concurrent;
using System.Net;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace Skein.Tests.Servers;

/// <summary>What is said of an event loop alone, and of addresses that nobody can listen on.</summary>
[SupportedOSPlatform("linux")]
public class EventLoopTests
{
    [Fact]
    public async Task A_handler_that_blocks_the_loop_is_seen_in_the_table_and_warned_about_while_it_does()
    {
        var (gate, warnings) = (new Gate(), new Warnings());
        await using var server = await StreamServer.StartAsync(
            ServerModel.EventLoop,
            _ =>
            {
                gate.Block();
                return Task.CompletedTask;
            },
            new() { LoggerFactory = warnings, BlockedAfter = TimeSpan.FromMilliseconds(20) });
        using var client = await server.ConnectAsync();

        await Limits.Until(() => !warnings.Said.IsEmpty, "the warning");

        var row = Assert.Single(server.Server.Connections);
        Assert.Equal(ConnectionState.Running, row.State);
        Assert.True(row.LongestTurn > TimeSpan.FromMilliseconds(20));
        Assert.Contains(row.Id, warnings.Said.Single(), StringComparison.Ordinal);
        gate.Open();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Single(warnings.Said);   // once, however long it lasts
    }

    [Fact]
    public async Task A_loop_that_is_held_for_ever_does_not_hold_up_the_stop_which_names_the_connection()
    {
        var (gate, warnings) = (new Gate(), new Warnings());
        await using var server = await StreamServer.StartAsync(
            ServerModel.EventLoop,
            _ =>
            {
                gate.Block();
                return Task.CompletedTask;
            },
            new() { LoggerFactory = warnings, BlockedAfter = Limits.Seconds(60) });
        using var client = await server.ConnectAsync();
        await Limits.Until(() => gate.Inside == 1, "the handler to block");
        var id = server.Server.Connections.Single().Id;

        await server.Server.StopAsync(TimeSpan.FromMilliseconds(20)).Within();

        Assert.Contains(id, Assert.Single(warnings.Said), StringComparison.Ordinal);
        gate.Open();
        await client.IsRefusedAsync();
    }

    [Fact]
    public async Task An_address_that_nobody_can_listen_on_is_named_with_the_reason()
    {
        await using var first = await StreamServer.StartAsync(ServerModel.Iterative, _ => Task.CompletedTask);
        var taken = await Assert.ThrowsAsync<IOException>(() => SkeinServer.StartAsync(first.Server.EndPoint, _ => Task.CompletedTask, ServerModel.Iterative));
        Assert.Contains($"{first.Server.EndPoint}", taken.Message, StringComparison.Ordinal);
        Assert.Contains("Another program listens there", taken.Message, StringComparison.Ordinal);

        var elsewhere = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0);   // is nobody's: RFC 5737
        var foreign = await Assert.ThrowsAsync<IOException>(() => SkeinServer.StartAsync(elsewhere, _ => Task.CompletedTask, ServerModel.EventLoop));
        Assert.Contains("This machine has no such address", foreign.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_make_no_sense_are_refused_by_name()
    {
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => ServerModel.Dispatcher(0, 1)).ParamName);
        Assert.Equal("queue", Assert.Throws<ArgumentOutOfRangeException>(() => ServerModel.Dispatcher(1, -1)).ParamName);
        Assert.Equal("Dispatcher(16, 64)", $"{ServerModel.Dispatcher(threads: 16, queue: 64)}");
        Assert.Equal("EventLoop", $"{ServerModel.EventLoop}");
    }

    /// <summary>What a server says that is a warning or worse.</summary>
    sealed class Warnings : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Said { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Enqueue(formatter(state, exception));

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
