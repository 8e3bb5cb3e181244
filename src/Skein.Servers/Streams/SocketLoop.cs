using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// One thread and calls that never wait: it moves the bytes of all connections of a server, and under
/// <see cref="ServerModel.EventLoop"/> runs their handlers too.
/// </summary>
/// <remarks>
/// <code>
///  epoll ──► sockets that are ready ──► their pumps go on
///    ▲                                        │
///    └──── turns: what follows an await ◄─────┴── from other threads, too
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed unsafe class SocketLoop : IDisposable
{
    const ulong Wakeup = 0;

    readonly Epoll _epoll = new();
    readonly Dictionary<ulong, Action> _ready = [];
    readonly ConcurrentQueue<Turn> _turns = new();
    readonly Thread _thread;
    readonly Action _atEnd;
    readonly LoopWakeup _wakeup = new();
    ulong _tokens;
    volatile StreamConnection? _current;
    bool _ended;

    /// <param name="name">The thread's name.</param>
    /// <param name="atEnd">What is to be done by the thread when it has ended, however late that is.</param>
    public SocketLoop(string name, Action atEnd)
    {
        _atEnd = atEnd;
        _epoll.Add(_wakeup.Descriptor, Epoll.In, Wakeup);
        _thread = new(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whose handler runs on this thread now.</summary>
    public StreamConnection? Current => _current;

    /// <summary>From now on the action is run whenever more can be read or written. Only on the loop's thread, as is the end of it.</summary>
    public ulong Watch(int descriptor, Action ready)
    {
        var token = ++_tokens;
        _ready.Add(token, ready);
        _epoll.Add(descriptor, Epoll.In | Epoll.Out | Epoll.PeerHangUp | Epoll.EdgeTriggered, token);
        return token;
    }

    public void Unwatch(int descriptor, ulong token)
    {
        if (_ready.Remove(token))
            _epoll.Remove(descriptor);
    }

    /// <summary>Runs something on the loop's thread, in no context.</summary>
    public void Schedule(Action<object?> action, object? state, StreamConnection? owner = null) => Add(new(owner, null, action, state));

    /// <summary>Runs code of a handler on the loop's thread, in the context of its connection.</summary>
    public void Post(StreamConnection owner, SendOrPostCallback callback, object? state) => Add(new(owner, callback, null, state));

    /// <summary>What follows runs on the loop's thread, after what waits there already: awaiting it there lets others have their turn.</summary>
    public Entry EnterAsync() => new(this);

    /// <summary>Ends the thread, and waits for that; not longer than the limit, for a handler may hold it.</summary>
    public void End(TimeSpan limit)
    {
        Schedule(static loop => ((SocketLoop)loop!)._ended = true, this);
        _thread.Join(limit);
    }

    void Add(Turn turn)
    {
        _turns.Enqueue(turn);
        if (Thread.CurrentThread != _thread)
            _wakeup.Set();
    }

    void Run()
    {
        var tokens = stackalloc ulong[256];
        while (!_ended)
        {
            var count = _epoll.Wait(new Span<ulong>(tokens, 256), _turns.IsEmpty ? -1 : 0);
            for (var i = 0; i < count; i++)
            {
                if (tokens[i] == Wakeup)
                    _wakeup.Clear();   // before the turns are taken
                else if (_ready.TryGetValue(tokens[i], out var ready))
                    ready();
            }

            for (var turns = _turns.Count; turns > 0 && _turns.TryDequeue(out var turn); turns--)
                Take(turn);   // those that come meanwhile are next: sockets have their share
        }

        _atEnd();
        Dispose();
    }

    /// <summary>By the thread itself, as the last thing it does: nobody else may know when it needs them no more.</summary>
    public void Dispose()
    {
        _epoll.Dispose();
        _wakeup.Dispose();
    }

    void Take(Turn turn)
    {
        _current = turn.Owner;
        turn.Owner?.TurnBegins(null);
        if (turn.Callback is null)
        {
            turn.Action!(turn.State);   // without a context, or its awaits of no context would leave for the thread pool
        }
        else
        {
            SynchronizationContext.SetSynchronizationContext(turn.Owner!.Context);
            turn.Callback(turn.State);
            SynchronizationContext.SetSynchronizationContext(null);
        }

        turn.Owner?.TurnEnds();
        _current = null;
    }

    public readonly struct Entry(SocketLoop loop) : ICriticalNotifyCompletion
    {
        public Entry GetAwaiter() => this;

        public bool IsCompleted => false;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => loop.Schedule(static next => ((Action)next!)(), continuation);
    }

    readonly record struct Turn(StreamConnection? Owner, SendOrPostCallback? Callback, Action<object?>? Action, object? State);
}

/// <summary>What follows an await of a handler on an event loop runs on the loop's thread.</summary>
[SupportedOSPlatform("linux")]
sealed class LoopContext(SocketLoop loop, StreamConnection connection) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.Post(connection, d, state);

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("An event loop would wait for itself: use Post.");

    public override SynchronizationContext CreateCopy() => this;
}
