using System.Collections.Concurrent;
using System.Net;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>Serves the connections of a <see cref="SkeinServer"/> in this process.</summary>
/// <remarks>
/// <code>
///  Listener ──► StreamConnection ──► (TLS) ──► (Receive) ──► HandlerThreads ──► ConnectionTask
///      └──────── SocketLoop: one thread moves all bytes ──────────────────────────┘  (EventLoop: it runs the handlers, too)
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed class LocalServing : StreamServing
{
    readonly ConcurrentDictionary<string, StreamConnection> _connections = new();
    readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly string _id;
    readonly ServerModel _model;
    readonly ConnectionDelegate _handler;
    readonly StreamServerOptions _options;
    readonly ILogger _logger;
    readonly HandlerThreads? _threads;
    readonly SocketLoop _loop;
    readonly Listener? _listener;   // null: somebody else accepts
    readonly Timer? _watchdog;
    readonly Lazy<Task> _stopped;
    readonly long _firstNumber;
    readonly Func<CancelKey, bool>? _cancelElsewhere;
    TimeSpan? _grace;
    long _accepted, _refused, _failed;
    bool _isStopping;

    /// <param name="id">Of the server: the ids of its connections begin with it.</param>
    /// <param name="listen">False: somebody else accepts, and the server is given connections by <see cref="Adopt"/>.</param>
    /// <param name="firstNumber">Where the numbers of its connections begin.</param>
    /// <param name="cancelElsewhere">Interrupts connections that are not here.</param>
    /// <exception cref="IOException">Nobody can listen there; the message says why and what to do.</exception>
    public LocalServing(
        string id, EndPoint endpoint, ConnectionDelegate handler, ServerModel model, StreamServerOptions options, bool listen = true, long firstNumber = 0, Func<CancelKey, bool>? cancelElsewhere = null)
    {
        (_id, _model, _handler, _options, _firstNumber, _cancelElsewhere) = (id, model, handler, options, firstNumber, cancelElsewhere);
        _logger = options.LoggerFactory.CreateLogger<SkeinServer>();
        EndPoint = endpoint;
        var socket = listen ? Listener.Bind(endpoint, options.Backlog) : null;
        _loop = new($"skein-{id}", Drop);
        _stopped = new(StopOnceAsync);
        if (model.Kind == ServerModelKind.EventLoop)
            _watchdog = new(static server => ((LocalServing)server!).Look(), this, options.BlockedAfter, options.BlockedAfter / 2);
        else
            _threads = new(model);
        if (socket is null)
            return;
        _listener = new(socket, _loop, () => _connections.Count < _options.MaxConnections, (descriptor, remote) => Accepted(descriptor, remote), _logger) { IsInherited = endpoint is FileHandleEndPoint };
        EndPoint = _listener.Address;
        _loop.Schedule(static listener => ((Listener)listener!).Open(), _listener);
    }

    /// <summary>Serves a connection that was accepted elsewhere; its socket is the server's from now on.</summary>
    /// <param name="ended">Called when it is closed, on the loop's thread.</param>
    public void Adopt(int descriptor, EndPoint? remote, Action<StreamConnection>? accepted, Action ended) => _loop.Schedule(
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
    public Task InvokeAsync(Action action)
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

    public override EndPoint EndPoint { get; }

    public override IReadOnlyList<ConnectionStatus> Connections => [.. _connections.Values.Select(connection => connection.Status()).OrderByDescending(row => row.Age)];

    public override StreamCounts Counts => new(Interlocked.Read(ref _accepted), Interlocked.Read(ref _refused), Interlocked.Read(ref _failed));

    public override bool TryCancel(CancelKey key) => TryCancelHere(key) || (_cancelElsewhere?.Invoke(key) ?? false);

    /// <summary>Interrupts a connection of this process.</summary>
    public bool TryCancelHere(CancelKey key) =>
        _connections.TryGetValue($"{_id}.{key.Number}", out var connection)
        && connection.Interruption.OwnKey is { IsValueCreated: true, Value: var own } && own.Fits(key)
        && connection.Interruption.Interrupt(InterruptionCause.Cancelled);

    public override Task StopAsync(TimeSpan? grace)
    {
        _grace ??= grace;
        return _stopped.Value;
    }

    StreamConnection Accepted(int descriptor, EndPoint? remote, Action? ended = null)
    {
        var number = _firstNumber + Interlocked.Increment(ref _accepted);
        var id = $"{_id}.{number}";
        var connection = new StreamConnection(_loop, descriptor, id, number, EndPoint, remote, _model, _options, TryCancel) { WarnIfBlocked = Warn, Ended = ended };
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
