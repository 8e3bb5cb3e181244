using System.Collections.Concurrent;
using System.Net;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>Serves connections that the super-server has accepted, in its own process or in a worker: their handler, and their time.</summary>
[SupportedOSPlatform("linux")]
sealed class HandlerServer : IAsyncDisposable
{
    readonly ConcurrentDictionary<StreamConnection, Seen> _connections = new();
    readonly LocalServing _server;
    readonly TimeSpan? _idle, _wall;
    readonly Timer? _clock;

    public HandlerServer(EndPoint endpoint, Func<ConnectionContext, Task> handler, TimeSpan? idle, TimeSpan? wall, ILoggerFactory loggers)
    {
        (_idle, _wall) = (idle, wall);
        _server = new(ProcessIds.Next(), endpoint, new(handler), ServerModel.EventLoop, new() { HalfClose = true, LoggerFactory = loggers }, listen: false);
        if ((idle ?? wall) is null)
            return;
        var often = Min(idle ?? TimeSpan.MaxValue, wall ?? TimeSpan.MaxValue) / 4;
        _clock = new(static server => ((HandlerServer)server!).Look(), this, often, often);
    }

    /// <param name="ended">Called when it is closed, on a thread that must not wait.</param>
    public void Adopt(int descriptor, EndPoint? remote, Action ended)
    {
        if (_clock is null)
        {
            _server.Adopt(descriptor, remote, accepted: null, ended);
            return;
        }

        StreamConnection? served = null;
        _server.Adopt(descriptor, remote, connection => _connections[served = connection] = new(TimeProvider.System.GetTimestamp()), () =>
        {
            if (served is not null)
                _connections.TryRemove(served, out _);
            ended();
        });
    }

    /// <summary>Runs something between two steps of handlers, none of which runs meanwhile.</summary>
    public Task InvokeAsync(Action action) => _server.InvokeAsync(action);

    public async Task StopAsync(TimeSpan grace)
    {
        await _server.StopAsync(grace).ConfigureAwait(false);
        if (_clock is not null)
            await _clock.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    void Look()
    {
        foreach (var (connection, seen) in _connections)
        {
            var status = connection.Status();
            var bytes = status.BytesReceived + status.BytesSent;
            if (bytes != seen.Bytes)
                (seen.Bytes, seen.At) = (bytes, TimeProvider.System.GetTimestamp());
            var reason = status.Age > _wall ? "It has taken too long." : TimeProvider.System.GetElapsedTime(seen.At) > _idle ? "Nothing went over it for too long." : null;
            if (reason is not null && _connections.TryRemove(connection, out _))
                connection.Abort(new(reason));
        }
    }

    static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    sealed class Seen(long at)
    {
        public long Bytes { get; set; }

        public long At { get; set; } = at;
    }
}
