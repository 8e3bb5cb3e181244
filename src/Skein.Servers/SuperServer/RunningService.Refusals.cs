using System.Net;

namespace Skein;

/// <summary>Who is not let in, and what has gone wrong for how long.</summary>
sealed partial class RunningService
{
    static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1), AtOnce = TimeSpan.FromSeconds(1), SayAgain = TimeSpan.FromSeconds(10);

    const int BrokenPipe = 13;   // its client has left: no failure of the program
    const int LongestDatagram = 64 * 1024;   // of UDP; one over a Unix socket that is longer gets no answer

    byte[]? _datagram;
    int _failures, _disabled, _epoch;
    ITimer? _pause;
    long _refusedBefore;
    (Source Source, string Reason)? _unsaid;
    bool _saysLater;

    /// <summary>Why a connection is not let in; null: it is, and counts for its source.</summary>
    string? WhyNot(Source source)
    {
        if (State == ServiceState.Paused)
            return "the service is paused";
        if (State == ServiceState.Disabled)
            return "the service is disabled";
        if (source.Address is not { } address)
            return PassRate();
        if (!IsAllowed(address))
            return "its network is not allowed";
        return _sources.TryAdd(source.Counted!, Definition.Limits) is { } reason ? reason : PassRate(source);
    }

    string? PassRate(Source source = default)
    {
        if (_rate.TryPassIf(Definition.Limits.Rate))
            return null;
        Leave(source);
        Pause();
        return "the service is paused";
    }

    bool IsAllowed(IPAddress address)
    {
        foreach (var network in Definition.Deny)
        {
            if (network.Contains(address))
                return false;
        }

        foreach (var network in Definition.Allow)
        {
            if (network.Contains(address))
                return true;
        }

        return Definition.Allow.Count == 0;
    }

    void Refuse(int connection, Source source, string reason)
    {
        ServiceAcceptor.Refuse(connection);
        _refused++;
        _unsaid = (source, reason);
        if (_saysLater)
            return;

        // The first at once, then all of some time together: a flood must not become one of messages.
        SayRefused();
        _saysLater = true;
        _loop.After(SayAgain, () =>
        {
            _saysLater = false;
            SayRefused();
        });
    }

    void SayRefused()
    {
        if (_unsaid is not var (source, reason))
            return;
        _logger.ConnectionsRefused(Definition.Name, _refused - _refusedBefore, source.Address?.ToString() ?? "this machine", reason);
        (_refusedBefore, _unsaid) = (_refused, null);
    }

    void Exhaust(string reason)
    {
        if (State != ServiceState.Exhausted)
            _logger.Exhausted(Definition.Name, reason, Exhaustion);
        Suspend(ServiceState.Exhausted);
        _loop.After(Exhaustion, () =>
        {
            if (State == ServiceState.Exhausted && Definition.StartsAtOnce && _instances.Count == 0)
                StartWaiting();
            else if (State == ServiceState.Exhausted)
                Resume();
        });
    }

    void Pause()
    {
        var rate = Definition.Limits.Rate!;
        _logger.Paused(Definition.Name, rate.Pause, rate.Count, rate.Per);
        Shut(ServiceState.Paused, rate.Pause);
    }

    void CannotStart(Exception error)
    {
        _failed++;
        _lastFailure = error.Message;
        Disable();
    }

    void Disable()
    {
        var pause = TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, Math.Min(_disabled++, 10))));
        _logger.Disabled(Definition.Name, pause, _lastFailure!);
        Shut(ServiceState.Disabled, pause);
    }

    /// <summary>Connections are refused at once, so nobody waits for what is not there; what a program would have to take waits in the system.</summary>
    void Shut(ServiceState state, TimeSpan pause)
    {
        var epoch = ++_epoch;
        Suspend(state);
        if (Definition.IsStreamOfConnections)
            Watch();
        _pause?.Dispose();
        _pause = _time.CreateTimer(_ => _loop.Post(() => EndPause(epoch, state)), null, pause, Timeout.InfiniteTimeSpan);
    }

    void EndPause(int epoch, ServiceState state)
    {
        if (epoch == _epoch && State == state)
            TryAgain();
    }

    void TryAgain()
    {
        _logger.TriedAgain(Definition.Name);
        _rate = new(_time);   // a timer may be some milliseconds early: one judge is enough, or the next who comes begins another pause
        State = ServiceState.Listening;
        if (Definition.StartsAtOnce && _instances.Count == 0)
            StartWaiting();
        else
            Resume();
    }

    /// <summary>
    /// Its program has failed, maybe because its client had left: with a code of its own, as every program has it. Whether that is so only the
    /// connection tells, and only to who has it. So the next connections are kept here too, for as long as a failure counts.
    /// </summary>
    bool IsSuspected => Definition.Limits.Failures > 0 && (_failures > 0 || _disabled > 0 || Definition.Limits.Failures == 1);

    void Watch(ProgramInstance instance, int connection)
    {
        instance.Watch(connection);
        _loop.After(AtOnce, instance.LetGo);
    }

    /// <summary>A failure that nobody has watched raises the suspicion, and no more.</summary>
    bool IsDefinite(ProgramInstance instance) => instance.IsWatched || !Definition.IsProgramPerConnection || _failures == 0;

    /// <summary>Whether a program that has ended did what it was started for.</summary>
    void Judge(ProgramInstance instance, ExitStatus status)
    {
        var leftWork = Definition.Waits && (Definition.StartsAtOnce || (State == ServiceState.HandedOver && ServiceAcceptor.IsReadable(_socket.Handle)));
        var hasFailed = instance.Asked is null && !instance.IsKilled && instance.Age < AtOnce && (leftWork || (status.Code != 0 && status.Signal != BrokenPipe));
        if (!hasFailed)
        {
            (_failures, _disabled, _lastFailure) = (0, 0, null);
            return;
        }

        if (instance.IsForsaken)
            return;
        _failed++;
        _lastFailure = status.Signal != 0
            ? $"its program ends at once, by signal {status.Signal}."
            : leftWork ? $"its program ends at once with code {status.Code}, and takes nothing of what it was started for." : $"its program fails at once with code {status.Code}.";
        if (Definition.StartsAtOnce && _notify is not null)
            _ready.TrySetException(new PlaceException($"Service {Definition.Name}: {_lastFailure}"));
        if (!IsDefinite(instance))
            return;
        if (Definition.Limits.Failures > 0 && ++_failures >= Definition.Limits.Failures && State is not (ServiceState.Closed or ServiceState.Disabled))
        {
            _failures = 0;
            Disable();
        }
    }

    /// <summary>Looks now and then at what may take only so long, as long as something may.</summary>
    void Tick()
    {
        var limits = Definition.Limits;
        var often = TimeSpan.FromTicks(Math.Clamp(
            Math.Min((limits.IdleTimeout ?? TimeSpan.MaxValue).Ticks, Math.Min((limits.WallTime ?? TimeSpan.MaxValue).Ticks, limits.Grace.Ticks)) / 4,
            TimeSpan.TicksPerMillisecond * 10,
            TimeSpan.TicksPerSecond));
        foreach (var instance in _instances)
            Look(instance, limits);
        _ticks = _instances.Count > 0;
        if (_ticks)
            _loop.After(often, Tick);
    }

    void Look(ServiceInstance instance, ServiceLimits limits)
    {
        if (instance.IsKilled)
            return;
        if (instance.Asked is { } asked)
        {
            if (asked < limits.Grace)
                return;
            _logger.Killed(Definition.Name, instance.ToString(), limits.Grace);
            instance.Kill();
            return;
        }

        var reason = instance.Age > limits.WallTime ? $"it has taken longer than {limits.WallTime}"
            : limits.IdleTimeout is { } idle && instance.Idle > idle ? $"nothing went over its connection for {idle}"
            : null;
        if (reason is null)
            return;
        _logger.Ended(Definition.Name, instance.ToString(), reason);
        instance.Ask();
    }

    void Answer(BuiltInService protocol)
    {
        var datagram = _datagram ??= new byte[LongestDatagram];
        Span<byte> address = stackalloc byte[128];
        for (var count = 0; count < AcceptAtOnce; count++)
        {
            var length = ServiceAcceptor.Receive(_socket.Handle, datagram, address, out var addressLength);
            if (length < 0)
                return;
            var source = Source.Of(address[..addressLength]);
            if (length > datagram.Length || (source.Address is not null && !BuiltInProtocol.MayAnswer(source.Port)))
                continue;
            if (WhyNot(source) is not null)
            {
                _refused++;
                continue;
            }

            _started++;
            Leave(source);
            if (BuiltInProtocol.Answer(protocol, datagram.AsSpan(0, length)) is { Length: > 0 } answer)
                ServiceAcceptor.Send(_socket.Handle, answer, address[..addressLength]);
        }
    }
}
