using System.IO.Pipelines;
using System.Net;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// One connection: what its handler sees of it, and its row in the table. The loop moves its bytes (see the other half), the model
/// decides who runs its handler.
/// </summary>
[SupportedOSPlatform("linux")]
sealed partial class StreamConnection : DefaultConnectionContext, IConnectionLifetimeNotificationFeature
{
    readonly SocketLoop _loop;
    readonly StreamServerOptions _options;
    readonly long _accepted = TimeProvider.System.GetTimestamp();
    readonly CancellationTokenSource _closed = new();
    readonly CancellationTokenSource _closeRequested = new();
    readonly bool _isOnLoop;
    readonly HandlerWatch _watch;
    WatchedPipe _watched;
    volatile HandlerThread? _thread;
    volatile ConnectionState _state;
    volatile bool _handlerEnded, _isReceiving;
    long _turnBegan, _longestTurn;
    int _turns, _warned;

    public StreamConnection(
        SocketLoop loop, int descriptor, string id, long number, EndPoint local, EndPoint? remote, ServerModel model, StreamServerOptions options, Func<CancelKey, bool> cancel)
        : base(id)
    {
        (_loop, _descriptor, _options, _isOnLoop) = (loop, descriptor, options, model.Kind == ServerModelKind.EventLoop);
        (LocalEndPoint, RemoteEndPoint, ConnectionClosed) = (local, remote, _closed.Token);
        Features.Set<IConnectionLifetimeNotificationFeature>(this);
        _watch = new(options.Timeout, options.DeafAfter, TimeProvider.System, options.LoggerFactory.CreateLogger<SkeinServer>(), () => $"connection {id}");
        Interruption = new(_watch, _closed.Token)
        {
            OwnKey = new(() => CancelKey.Create(number)),
            CancelOther = cancel,
            Interrupted = interruption =>
            {
                if (!interruption.IsTaken)
                    CancelHandler();   // it knows no other token
            },
        };
        Features.Set(Interruption);
        Context = new LoopContext(loop, this);
        _state = options.Tls is null ? ConnectionState.Queued : ConnectionState.Securing;

        var (toLoop, toHandler) = (new LoopScheduler(loop), new HandlerScheduler(this));
        _input = new(new PipeOptions(
            readerScheduler: toHandler, writerScheduler: toLoop, pauseWriterThreshold: options.ReadAhead, resumeWriterThreshold: options.ReadAhead / 2));
        _output = new(new PipeOptions(readerScheduler: toLoop, writerScheduler: toHandler));
        _watched = new(_input.Reader, _output.Writer);
        Transport = _watched;
    }

    /// <summary>The context of its handler on an event loop.</summary>
    public SynchronizationContext Context { get; }

    public ConnectionState State => _state;

    /// <summary>What can interrupt its handler.</summary>
    public Interruption Interruption { get; }

    public CancellationToken ConnectionClosedRequested
    {
        get => _closeRequested.Token;
        set => throw new NotSupportedException("The server says when it stops.");
    }

    /// <summary>Asks the handler to end when what it does now is done: the server stops.</summary>
    public void RequestClose() => ThreadPool.UnsafeQueueUserWorkItem(static asked => asked._watch.Cancel(asked._closeRequested), this, preferLocal: false);

    /// <summary>The handler reads and writes through these instead: TLS is between them and the socket.</summary>
    public void Secure(PipeReader reader, PipeWriter writer)
    {
        _watched = new(reader, writer);
        Transport = _watched;
        Change(ConnectionEvent.Secured);
    }

    /// <summary>Its request is read on the loop, before its handler has a thread.</summary>
    public void BeginReceiving() => _isReceiving = true;

    public void Received()
    {
        _isReceiving = false;
        Change(ConnectionEvent.Received);
    }

    /// <summary>How long its handler has kept the thread without an await, now.</summary>
    public TimeSpan CurrentTurn => Interlocked.Read(ref _turnBegan) is > 0 and var began ? TimeProvider.System.GetElapsedTime(began) : TimeSpan.Zero;

    /// <summary>True once for each turn.</summary>
    public bool IsFirstWarning(int turn) => Interlocked.Exchange(ref _warned, turn) != turn;

    public int Turns => Volatile.Read(ref _turns);

    public void TurnBegins(HandlerThread? thread)
    {
        _thread = thread;
        Change(ConnectionEvent.TurnBegins);
        if (_state != ConnectionState.Running)
            return;   // it is being secured, or closes: no code of the handler
        _turns++;
        Interlocked.Exchange(ref _turnBegan, TimeProvider.System.GetTimestamp());
    }

    public void TurnEnds()
    {
        if (Interlocked.Exchange(ref _turnBegan, 0) is > 0 and var began)
        {
            var length = TimeProvider.System.GetElapsedTime(began).Ticks;
            Interlocked.Exchange(ref _longestTurn, Math.Max(_longestTurn, length));
            if (_isOnLoop && length > _options.BlockedAfter.Ticks)
                WarnIfBlocked?.Invoke(this, TimeSpan.FromTicks(length));
        }

        Change(_watched.Reader.IsAwaited ? ConnectionEvent.AwaitsInput
            : _watched.Writer.IsAwaited ? ConnectionEvent.AwaitsRoom
            : ConnectionEvent.AwaitsOther);
    }

    /// <summary>Where a turn that was too long is said.</summary>
    public Action<StreamConnection, TimeSpan>? WarnIfBlocked { get; init; }

    /// <summary>Who accepted it is told when it is closed.</summary>
    public Action? Ended { get; init; }

    /// <summary>The server stops, and says itself who does not listen.</summary>
    public void Forsake()
    {
        HasGone = true;
        _watch.Dispose();
    }

    public void HandlerEnded()
    {
        Interruption.End();
        _handlerEnded = true;   // from now on all is the loop's
        Change(ConnectionEvent.HandlerEnds);
    }

    public ConnectionStatus Status() => new(
        ConnectionId,
        RemoteEndPoint,
        _state,
        _handlerEnded ? null : _thread?.Number,
        TimeProvider.System.GetElapsedTime(_accepted),
        Interlocked.Read(ref _received),
        Interlocked.Read(ref _sent),
        Turns,
        Max(TimeSpan.FromTicks(Interlocked.Read(ref _longestTurn)), CurrentTurn));

    static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    void Change(ConnectionEvent happened) => _state = _state.After(happened);

    /// <summary>Steps of the handler that asked for no context still run where it runs: on its thread, or on the loop.</summary>
    sealed class HandlerScheduler(StreamConnection connection) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state)
        {
            if (connection._thread is { } thread && !connection._handlerEnded)
                thread.Schedule(action, state);
            else
                connection._loop.Schedule(action, state, connection._isOnLoop || connection._isReceiving ? connection : null);
        }
    }

    sealed class LoopScheduler(SocketLoop loop) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state) => loop.Schedule(action, state);
    }
}
