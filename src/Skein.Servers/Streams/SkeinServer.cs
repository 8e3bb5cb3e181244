using System.Collections.Concurrent;
using System.Net;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Serves a protocol of any kind: a handler for one connection, and the <see cref="ServerModel"/> that says who runs it for how many.
/// </summary>
/// <remarks>
/// <code>
///  Listener ──► StreamConnection ──► (TLS) ──► (Receive) ──► HandlerThreads ──► ConnectionTask
///      └──────── SocketLoop: one thread moves all bytes ──────────────────────────┘  (EventLoop: it runs the handlers, too)
/// </code>
/// </remarks>
/// <example>
/// <code>
/// await using var server = await SkeinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 7), Echo, ServerModel.EventLoop);
///
/// static async Task Echo(ConnectionContext connection) =>
///     await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
/// </code>
/// </example>
[SupportedOSPlatform("linux")]
public sealed class SkeinServer : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, StreamConnection> _connections = new();
    readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ConnectionDelegate _handler;
    readonly StreamServerOptions _options;
    readonly ILogger _logger;
    readonly HandlerThreads? _threads;
    readonly SocketLoop _loop;
    readonly Listener? _listener;   // null: somebody else accepts
    readonly Timer? _watchdog;
    readonly Lazy<Task> _stopped;
    TimeSpan? _grace;
    long _accepted, _refused, _failed;
    bool _isStopping;

    SkeinServer(EndPoint endpoint, ConnectionDelegate handler, ServerModel model, StreamServerOptions options, bool listen = true)
    {
        if (model.Kind == ServerModelKind.Prefork)
            throw new ArgumentException("ServerModel.Prefork is for HTTP. A SuperServer serves other protocols by several processes.", nameof(model));
        (Model, _handler, _options) = (model, handler, options);
        _logger = options.LoggerFactory.CreateLogger<SkeinServer>();
        EndPoint = endpoint;
        var socket = listen ? Listener.Bind(endpoint, options.Backlog) : null;
        _loop = new($"skein-{Id}", Drop);
        _stopped = new(StopOnceAsync);
        if (model.Kind == ServerModelKind.EventLoop)
            _watchdog = new(static server => ((SkeinServer)server!).Look(), this, options.BlockedAfter, options.BlockedAfter / 2);
        else
            _threads = new(model);
        if (socket is null)
            return;
        _listener = new(socket, _loop, () => _connections.Count < _options.MaxConnections, (descriptor, remote) => Accepted(descriptor, remote), _logger) { IsInherited = endpoint is FileHandleEndPoint };
        EndPoint = _listener.Address;
        _loop.Schedule(static listener => ((Listener)listener!).Open(), _listener);
    }

    /// <summary>A server of connections that somebody else accepts: <see cref="Adopt"/>.</summary>
    internal static SkeinServer StartWithoutListener(EndPoint endpoint, ConnectionDelegate handler, ServerModel model, StreamServerOptions options) =>
        new(endpoint, handler, model, options.Checked(), listen: false);

    /// <summary>Serves a connection that was accepted elsewhere; its socket is the server's from now on.</summary>
    /// <param name="ended">Called when it is closed, on the loop's thread.</param>
    internal void Adopt(int descriptor, EndPoint? remote, Action<StreamConnection>? accepted, Action ended) => _loop.Schedule(
        _ =>
        {
            if (_isStopping)
            {
                _ = Libc.Close(descriptor);
                ended();
                return;
            }

            var connection = Accepted(descriptor, remote, ended);
            accepted?.Invoke(connection);
        },
        null);

    /// <summary>Runs something on the thread that moves the bytes, and under <see cref="ServerModel.EventLoop"/> runs the handlers.</summary>
    internal Task InvokeAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Schedule(
            _ =>
            {
                try
                {
                    action();
                    done.SetResult();
                }
                catch (Exception error)
                {
                    done.SetException(error);   // it is the caller's
                }
            },
            null);
        return done.Task;
    }

    /// <summary>Listens, and serves connections from now on.</summary>
    /// <param name="endpoint">
    /// An <see cref="IPEndPoint"/> (port 0: a free one), a Unix socket, or a <see cref="FileHandleEndPoint"/>: a socket that this process
    /// has inherited.
    /// </param>
    /// <param name="handler">Serves one connection: when its task completes, the connection is complete.</param>
    /// <param name="model">Who runs it.</param>
    /// <param name="options">TLS, limits, where warnings go.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="IOException">Nobody can listen there; the message says why and what to do.</exception>
    public static Task<SkeinServer> StartAsync(
        EndPoint endpoint, ConnectionDelegate handler, ServerModel model, StreamServerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(model);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(new SkeinServer(endpoint, handler, model, (options ?? new()).Checked()));
    }

    /// <inheritdoc cref="StartAsync(EndPoint, ConnectionDelegate, ServerModel, StreamServerOptions, CancellationToken)"/>
    public static Task<SkeinServer> StartAsync(
        EndPoint endpoint, ConnectionHandler handler, ServerModel model, StreamServerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return StartAsync(endpoint, handler.OnConnectedAsync, model, options, cancellation);
    }

    /// <summary>Names the server among all that runs in this process.</summary>
    public string Id { get; } = ProcessIds.Next();

    /// <summary>How it serves.</summary>
    public ServerModel Model { get; }

    /// <summary>Where it listens, with the port that it got.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>The table of its connections, as it is now; in order of arrival.</summary>
    public IReadOnlyList<ConnectionStatus> Connections => [.. _connections.Values.Select(connection => connection.Status()).OrderByDescending(row => row.Age)];

    /// <summary>How many connections were accepted since the start.</summary>
    public long AcceptedCount => Interlocked.Read(ref _accepted);

    /// <summary>How many of them were refused because all threads were busy and the queue was full.</summary>
    public long RefusedCount => Interlocked.Read(ref _refused);

    /// <summary>How many handlers have failed.</summary>
    public long FailedCount => Interlocked.Read(ref _failed);

    /// <summary>Interrupts the handler of the connection that has this key. False: none has.</summary>
    public bool TryCancel(CancelKey key) =>
        _connections.TryGetValue($"{Id}.{key.Number}", out var connection)
        && connection.Interruption.OwnKey is { IsValueCreated: true, Value: var own } && own.Fits(key)
        && connection.Interruption.Interrupt(InterruptionCause.Cancelled);

    /// <summary>
    /// Accepts no more, asks handlers to end (<see cref="Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeNotificationFeature"/>),
    /// and aborts what is left after the grace period.
    /// </summary>
    /// <param name="grace">How long connections may go on; by default as the options say.</param>
    public Task StopAsync(TimeSpan? grace = null)
    {
        _grace ??= grace;
        return _stopped.Value;
    }

    /// <inheritdoc cref="StopAsync"/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    StreamConnection Accepted(int descriptor, EndPoint? remote, Action? ended = null)
    {
        var number = Interlocked.Increment(ref _accepted);
        var id = $"{Id}.{number}";
        var connection = new StreamConnection(_loop, descriptor, id, number, EndPoint, remote, Model, _options, TryCancel) { WarnIfBlocked = Warn, Ended = ended };
        _connections[id] = connection;
        connection.Open();
        if (_options.Tls is null)
            Receive(connection, tls: null);
        else
            _ = SecureAsync(connection);
        return connection;
    }

    async Task SecureAsync(StreamConnection connection)
    {
        var (tls, fault) = await TlsTransport.SecureAsync(connection, _options).ConfigureAwait(false);
        await _loop.EnterAsync();
        if (tls is not null)
        {
            Receive(connection, tls);
            return;
        }

        _logger.NotSecured(connection.ConnectionId, fault!);
        Finish(connection, tls: null);
    }

    void Receive(StreamConnection connection, TlsTransport? tls)
    {
        if (_options.Receive is not { } receive)
        {
            Serve(connection, tls);
            return;
        }

        connection.BeginReceiving();
        var task = new ConnectionTask(connection, receive, fault => _loop.Schedule(_ => Received(connection, tls, fault), null));   // when its last turn is over
        _loop.Post(connection, Run, task);
    }

    void Received(StreamConnection connection, TlsTransport? tls, Exception? fault)
    {
        connection.Received();
        if (fault is not null)
            Failed(connection, fault);
        if (fault is not null || connection.HasGone)
            Finish(connection, tls);
        else
            Serve(connection, tls);
    }

    static void Run(object? task) => _ = ((ConnectionTask)task!).RunAsync();

    void Serve(StreamConnection connection, TlsTransport? tls)
    {
        CancellationTokenRegistration left = default;
        var task = new ConnectionTask(connection, _handler, fault =>
        {
            left.Dispose();
            if (fault is not null)
                Failed(connection, fault);
            Finish(connection, tls);
        });
        if (_threads is null)
        {
            _loop.Post(connection, Run, task);
        }
        else if (_threads.TryStart(task))
        {
            left = connection.ConnectionClosed.UnsafeRegister(
                _ =>
                {
                    if (_threads.Withdraw(task))   // nobody waits for it any more: it is never started
                        Finish(connection, tls);
                },
                null);
        }
        else
        {
            Interlocked.Increment(ref _refused);
            _logger.Refused(connection.ConnectionId);
            connection.Abort(new("The server is busy."));
            Finish(connection, tls);
        }
    }

    void Failed(StreamConnection connection, Exception fault)
    {
        Interlocked.Increment(ref _failed);
        _logger.HandlerFailed(connection.ConnectionId, fault);
        connection.Abort(new("The handler failed."));   // the client must not take what it has for a whole answer
    }

    void Finish(StreamConnection connection, TlsTransport? tls)
    {
        connection.HandlerEnded();
        _loop.Schedule(_ => _ = FinishAsync(connection, tls), null);
    }

    async Task FinishAsync(StreamConnection connection, TlsTransport? tls)
    {
        await connection.CloseAsync(() => tls?.EndAsync(connection) ?? Task.CompletedTask).ConfigureAwait(false);
        tls?.Dispose();
        _connections.TryRemove(connection.ConnectionId, out _);
        connection.Ended?.Invoke();
        if (_isStopping)
            Drain();
        else
            _listener?.Resume();
    }

    void Drain()
    {
        if (_connections.IsEmpty)
            _drained.TrySetResult();
    }

    void Look()
    {
        if (_loop.Current is { } connection && connection.CurrentTurn is var length && length > _options.BlockedAfter)
            Warn(connection, length);
    }

    void Warn(StreamConnection connection, TimeSpan length)
    {
        if (connection.IsFirstWarning(connection.Turns))
            _logger.LoopBlocked(connection.ConnectionId, length);
    }

    async Task StopOnceAsync()
    {
        _loop.Schedule(_ => CloseListener(), null);
        foreach (var connection in _connections.Values)
            connection.RequestClose();
        if (!await EndWithinAsync(_grace ?? _options.Grace).ConfigureAwait(false))
        {
            foreach (var connection in _connections.Values)
                connection.Forsake();   // all of them first: a thread that gets free must not start one that waits
            foreach (var connection in _connections.Values)
            {
                connection.Abort(new("The server has stopped."));
                connection.CancelHandler();
            }

            if (!await EndWithinAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false))
            {
                foreach (var connection in _connections.Values)
                    _logger.Abandoned(connection.ConnectionId);
            }
        }

        _threads?.Dispose();
        if (_watchdog is not null)
            await _watchdog.DisposeAsync().ConfigureAwait(false);
        await Task.Run(() => _loop.End(TimeSpan.FromSeconds(1))).ConfigureAwait(false);
    }

    // Of handlers that were abandoned: their clients need not wait.
    void Drop()
    {
        foreach (var connection in _connections.Values)
            connection.Drop();
    }

    void CloseListener()
    {
        _isStopping = true;
        _listener?.Close();
        Drain();
    }

    async Task<bool> EndWithinAsync(TimeSpan limit)
    {
        try
        {
            await _drained.Task.WaitAsync(limit, TimeProvider.System).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
