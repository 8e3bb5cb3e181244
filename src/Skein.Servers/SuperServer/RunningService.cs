using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// A service that listens: who may come in, when, and what is started for them. All of it is the loop's thread's.
/// </summary>
/// <remarks>
/// <code>
///  socket ──► ServiceAcceptor ──► may it? (Allow, Deny, SourceTable, RateGate) ──► ServiceProgram or HandlerHost ──► ServiceInstance
///     ▲                                     │ no: refused                                                                │
///     └──────────────── there is room again, the pause is over ◄─────────────────────────────────────── its end ◄───────┘
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed partial class RunningService : IDisposable
{
    const int AcceptAtOnce = 16;

    // What is short comes back when something ends: to try at once would only burn the processor.
    static readonly TimeSpan Exhaustion = TimeSpan.FromMilliseconds(100);

    readonly HashSet<ServiceInstance> _instances = [];
    readonly Dictionary<int, Source> _held = [];   // connections that were let in and cannot be served just now
    readonly ServiceLoop _loop;
    readonly ServiceSocket _socket;
    readonly SourceTable _sources;
    readonly ILogger _logger;
    readonly TimeProvider _time;
    readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    RateGate _rate;
    ServiceProgram? _program;
    HandlerHost? _handlers;
    ReadySocket? _notify;
    ProgramInstance? _taker;
    long? _arrival;
    readonly DateTimeOffset _since = TimeProvider.System.GetUtcNow();
    ulong _token, _notifyToken;
    bool _isWatched, _ticks;
    long _started, _refused, _failed;
    string? _lastFailure;

    public RunningService(ServiceLoop loop, Service definition, ServiceSocket socket, ServiceProgram? program, SuperServerOptions options)
    {
        (_loop, Definition, _socket, _program, _time) = (loop, definition, socket, program, options.TimeProvider);
        (_sources, _rate) = (new(_time), new(_time));
        _logger = options.LoggerFactory.CreateLogger<SuperServer>();
    }

    public Service Definition { get; private set; }

    public ServiceState State { get; private set; } = ServiceState.Starting;

    public ServiceSocket Socket => _socket;

    public HandlerHost? Handlers => _handlers;

    /// <summary>Completes when it can be reached, and its program, if that is started at once, is ready.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Completes when it is closed and nothing of it runs any more.</summary>
    public TaskCompletionSource Emptied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ServiceStatus Status() => new(
        Definition.Name, _socket.Address, State, _instances.Count, [.. _instances.Select(instance => instance.ProcessId).OfType<int>(), .. _handlers?.ProcessIds ?? []], _started, _refused, _failed, _lastFailure)
    {
        Address = _socket.Name,
        Since = _since,
    };

    /// <summary>Can be reached from now on.</summary>
    public void Open(HandlerHost? handlers, int backlog)
    {
        _handlers = handlers;
        _socket.Listen(backlog);
        _socket.NeverWait(NeverWaits);
        _logger.Listens(Definition.Name, _socket.Name);
        State = ServiceState.Listening;
        if (Definition is { StartsAtOnce: true, Notifies: true })
        {
            _notify = new();
            _notifyToken = _loop.Watch(_notify.Handle, Notified);
        }

        if (Definition.StartsAtOnce)
            StartWaiting();
        else
            Resume();
        if (_notify is null && (!Definition.StartsAtOnce || _instances.Count > 0))
            _ready.TrySetResult();
        else if (_lastFailure is not null)
            _ready.TrySetException(new PlaceException($"Service {Definition.Name}: {_lastFailure}"));
    }

    /// <summary>Goes on as another definition of the same socket; what runs goes on as it is.</summary>
    public void Update(Service definition, ServiceProgram? program, HandlerHost? handlers)
    {
        if (Definition.Waits && !definition.Waits)
            AskAll(onlyWaiting: true);   // it would go on taking those who come
        (Definition, _program, _handlers, _rate) = (definition, program, handlers, new(_time));
        _socket.NeverWait(NeverWaits);
        if (definition.StartsAtOnce && _instances.Count == 0)
            StartWaiting();
        else if (State is ServiceState.Paused or ServiceState.Disabled)
            TryAgain();
        else
            Resume();
    }

    /// <summary>Nobody is let in any more.</summary>
    public void Dispose()
    {
        if (State == ServiceState.Closed)
            return;
        Suspend(ServiceState.Closed);
        _pause?.Dispose();
        _socket.Dispose();
        foreach (var connection in _held.Keys)
            ServiceAcceptor.Refuse(connection);
        _held.Clear();
        EndNotify();
        _ready.TrySetException(new ObjectDisposedException(nameof(SuperServer), "The super-server was stopped."));
        _logger.ServiceClosed(Definition.Name);
        CheckEmptied();
    }

    /// <summary>Asks programs to end: those that have the socket, which would never do so themselves, or all.</summary>
    public void AskAll(bool onlyWaiting)
    {
        foreach (var instance in _instances)
        {
            if (!onlyWaiting || Definition.Waits)
                instance.Ask();
        }
    }

    public void KillAll()
    {
        foreach (var instance in _instances)
            instance.Kill();
    }

    /// <summary>Watches the socket again if there is no reason not to.</summary>
    public void Resume()
    {
        if (State is not (ServiceState.Listening or ServiceState.Full or ServiceState.HandedOver or ServiceState.Exhausted) || _isWatched)
            return;
        if (!HasRoom || _held.Count > 0 || (Definition.Waits && _instances.Count > 0) || IsTaking)
            return;
        State = ServiceState.Listening;
        Watch();
    }

    // A program that gets the socket expects one that waits: it is the default of the other super-servers.
    bool NeverWaits => Definition.IsProgramPerConnection || Definition.File is null;

    /// <summary>A program that was started for a datagram has not taken it yet.</summary>
    bool IsTaking => State == ServiceState.HandedOver && _taker is not null && _instances.Contains(_taker) && ServiceAcceptor.FirstArrival(_socket.Handle) == _arrival;

    bool HasRoom => _instances.Count < Definition.Limits.Instances && (_handlers?.HasRoom ?? true);

    void Watch()
    {
        _token = _loop.Watch(_socket.Handle, Come);
        _isWatched = true;
    }

    void Suspend(ServiceState state)
    {
        State = state;
        if (!_isWatched)
            return;
        _loop.Unwatch(_socket.Handle, _token);
        _isWatched = false;
    }

    void Come()
    {
        if (Definition is { Protocol: { } protocol, IsStream: false })
            Answer(protocol);
        else if (!Definition.IsStreamOfConnections)
            StartWaiting();
        else
            AcceptSome();
    }

    void AcceptSome()
    {
        for (var count = 0; count < AcceptAtOnce && _isWatched; count++)
        {
            if (State is not (ServiceState.Paused or ServiceState.Disabled) && !HasRoom)
            {
                Suspend(ServiceState.Full);
                return;
            }

            var connection = ServiceAcceptor.Accept(_socket.Handle, neverWaits: _handlers is not null, out var source);
            if (connection == -Libc.EAGAIN)
                return;
            if (IsOfTheSystem(-connection))
            {
                Exhaust(System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(-connection));
                return;
            }

            if (connection < 0)
                continue;   // it was gone before it could be accepted
            if (WhyNot(source) is { } reason)
                Refuse(connection, source, reason);
            else if (Descriptor.IsReserved(connection))
                HoldReserved(connection, source);
            else
                Serve(connection, source);
        }
    }

    void Serve(int connection, Source source)
    {
        if (_handlers is not null)
        {
            ServeByHandler(_handlers, connection, source);
            return;
        }

        try
        {
            var instance = new ProgramInstance(source, _program!.Serve(connection, source), hasConnection: true);
            Started(instance);
            if (IsSuspected)
                Watch(instance, connection);
            else
                _ = Libc.Close(connection);
        }
        catch (LinuxException error) when (IsOfTheSystem(error.Error))
        {
            Exhaust(error.Message);
            Hold(connection, source, Exhaustion);   // it has waited its turn already
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Leave(source);
            ServiceAcceptor.Refuse(connection);
            CannotStart(error);
        }
    }

    void ServeByHandler(HandlerHost handlers, int connection, Source source)
    {
        if (handlers.TryServe(connection, source, InstanceEnded) is { } instance)
            Begun(instance);
        else
            Hold(connection, source, Exhaustion / 10);   // all workers have just ended: others come
    }

    /// <summary>Nobody else is let in before it is served, for that would take what it waits for.</summary>
    void Hold(int connection, Source source, TimeSpan time)
    {
        _held.Add(connection, source);
        _loop.After(time, () => Retry(connection));
    }

    void Retry(int connection)
    {
        if (!_held.Remove(connection, out var source))
            return;   // refused: nobody is served any more
        if (Descriptor.IsReserved(connection) && !ServiceAcceptor.TryMove(ref connection))
            HoldReserved(connection, source);
        else
            Serve(connection, source);
        Resume();
    }

    /// <summary>The runtime needs the last descriptors for threads, and aborts without: the one that took the first of them waits for others to be free.</summary>
    void HoldReserved(int connection, Source source)
    {
        Exhaust("no descriptors are left but those for the runtime");
        Hold(connection, source, Exhaustion);
    }

    void StartWaiting()
    {
        _arrival = Definition.Waits ? null : ServiceAcceptor.FirstArrival(_socket.Handle);
        if (!Definition.Waits && _arrival is null)
            return;   // a program that still runs has taken it
        if (!_rate.TryPassIf(Definition.Limits.Rate))
        {
            Pause();
            return;
        }

        try
        {
            Suspend(ServiceState.HandedOver);
            var instance = new ProgramInstance(default, _program!.HandOver(_socket.Handle, _notify?.Name), hasConnection: false);
            Started(instance);
            _taker = Definition.Waits ? null : instance;
            if (_taker is not null)
                WaitUntilTaken();
        }
        catch (LinuxException error) when (IsOfTheSystem(error.Error))
        {
            Exhaust(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            CannotStart(error);
        }
    }

    /// <summary>A program for each datagram takes the one it was started for; before that, the socket would only start more of them.</summary>
    void WaitUntilTaken() => _loop.After(TimeSpan.FromMilliseconds(5), () =>
    {
        if (State != ServiceState.HandedOver)
            return;
        if (IsTaking)
        {
            WaitUntilTaken();
            return;
        }

        State = ServiceState.Full;
        Resume();
    });

    void Started(ProgramInstance instance)
    {
        Begun(instance);
        if (_logger.IsEnabled(LogLevel.Debug))
            _logger.Serves(Definition.Name, instance.Source.Address?.ToString() ?? "who comes", instance.Child.Id);
        ulong token = 0;
        ExitStatus status = default;
        var (child, descriptor) = (instance.Child, instance.Child.Descriptor);
        child.OnExit(end => status = end);
        token = _loop.Watch(descriptor, () =>
        {
            _loop.Unwatch(descriptor, token);

            // What is ended is ended whole, also where the program itself went within its grace. One that ends by itself may leave others.
            if (instance.Asked is not null || instance.IsKilled)
                instance.KillRest(() => _loop.Post(End));
            else
                End();
        });

        void End()
        {
            child.Reap();
            if (child.Cgroup is { } group)
                ThreadPool.UnsafeQueueUserWorkItem(static group => group.Dispose(), group, preferLocal: false);
            child.Dispose();
            Judge(instance, status);
            instance.LetGo();
            InstanceEnded(instance);
        }
    }

    void Begun(ServiceInstance instance)
    {
        _instances.Add(instance);
        _started++;
        if (!_ticks)
            Tick();
    }

    void InstanceEnded(ServiceInstance instance)
    {
        if (!_instances.Remove(instance))
            return;
        Leave(instance.Source);
        if (Definition.StartsAtOnce && State == ServiceState.HandedOver)
            StartWaiting();
        else
            Resume();
        CheckEmptied();
    }

    void Leave(Source source)
    {
        if (source.Counted is { } counted)
            _sources.Remove(counted, Definition.Limits);
    }

    void CheckEmptied()
    {
        if (State == ServiceState.Closed && _instances.Count == 0)
            Emptied.TrySetResult();
    }

    void Notified()
    {
        if (_notify!.Receive())
        {
            _ready.TrySetResult();
            EndNotify();
        }
    }

    void EndNotify()
    {
        if (_notify is null)
            return;
        _loop.Unwatch(_notify.Handle, _notifyToken);
        _notify.Dispose();
        _notify = null;
    }

    static bool IsOfTheSystem(int error)
    {
        const int OutOfMemory = 12, TooManyInTheSystem = 23, NoBuffers = 105;
        return error is Libc.EMFILE or TooManyInTheSystem or OutOfMemory or NoBuffers or Libc.EAGAIN;
    }
}
