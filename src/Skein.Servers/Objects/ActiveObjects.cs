using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>The objects that are active at a server: finds the one that a call is for, or makes it.</summary>
sealed class ActiveObjects : IAsyncDisposable
{
    static readonly Meter Meter = new("Skein.Objects");
    static readonly UpDownCounter<long> Active = Meter.CreateUpDownCounter<long>("skein.objects.active", description: "Objects in memory");
    static readonly Counter<long> Calls = Meter.CreateCounter<long>("skein.objects.calls", description: "Calls that were taken");

    readonly ConcurrentDictionary<(ObjectKind Kind, string Name, ServedClient? Owner), ActiveObject> _objects = new();
    readonly ConcurrentDictionary<ObjectKind, HandlerThreads> _crews = new();
    readonly ObjectServerOptions _options;
    readonly ILogger _logger;
    readonly ITimer? _sweep;
    TaskCompletionSource? _empty;
    int _count;

    public ActiveObjects(ObjectServerOptions options, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        if (options.IdleTimeout == Timeout.InfiniteTimeSpan)
            return;
        _sweep = options.TimeProvider.CreateTimer(static objects => ((ActiveObjects)objects!).Sweep(), this, options.IdleTimeout / 4, options.IdleTimeout / 4);
    }

    public ObjectStore Store => _options.Store;

    public long Now => _options.TimeProvider.GetTimestamp();

    public IReadOnlyList<ActiveObject> All => [.. _objects.Values];

    public int Count => Volatile.Read(ref _count);

    public void Post(ObjectCall call)
    {
        Calls.Add(1);
        var owner = call.Kind.Activation == Activation.Shared ? null : call.Client;
        if (call.Kind.Activation == Activation.PerCall)
        {
            var one = New(call.Kind, call.Name, owner);
            _ = one.TryPost(call);
            one.Leave(onlyIfIdle: false);
            return;
        }

        while (true)
        {
            var key = (call.Kind, call.Name, owner);
            var one = _objects.GetOrAdd(key, static (key, home) => home.New(key.Kind, key.Name, key.Owner), this);
            if (one.TryPost(call))
                return;
            Thread.Yield();   // it is leaving, and in the next moment no longer in the table
        }
    }

    // Only the thread of the server's loop comes here.
    ActiveObject New(ObjectKind kind, string name, ServedClient? owner)
    {
        Active.Add(1);
        lock (_objects)
            _count++;
        return new(this, kind, name, owner, kind.Threads switch
        {
            ObjectThreads.PerObject => new(ServerModel.Iterative),
            ObjectThreads.PerInterface => _crews.GetOrAdd(kind, static _ => new(ServerModel.Iterative)),
            _ => null,
        });
    }

    /// <summary>A client has left, and its own objects with it.</summary>
    public void Release(ServedClient client)
    {
        foreach (var one in _objects.Values)
        {
            if (one.Owner == client)
                one.Leave(onlyIfIdle: false);
        }
    }

    public void Gone(ActiveObject one)
    {
        _objects.TryRemove(new((one.Kind, one.Name, one.Owner), one));
    }

    public void Ended()
    {
        Active.Add(-1);
        lock (_objects)
        {
            if (--_count == 0)
                _empty?.TrySetResult();
        }
    }

    public void Failed(ActiveObject one, Exception error) => _logger.NotPassivated(one.Kind.Interface.Name, one.Name, error);

    void Sweep()
    {
        foreach (var one in _objects.Values)
        {
            if (_options.TimeProvider.GetElapsedTime(one.LastUse) >= _options.IdleTimeout)
                one.Leave(onlyIfIdle: true);
        }
    }

    /// <summary>Takes the state of all to the store. No more calls come.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_sweep is not null)
            await _sweep.DisposeAsync().ConfigureAwait(false);
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_objects)
        {
            _empty = empty;
            if (_count == 0)
                empty.SetResult();
        }

        foreach (var one in _objects.Values)
            one.Leave(onlyIfIdle: false);
        await Task.WhenAny(empty.Task, Task.Delay(_options.Grace, TimeProvider.System)).ConfigureAwait(false);
        foreach (var one in _objects.Values)
            _logger.LeftActive(one.Kind.Interface.Name, one.Name);
        foreach (var threads in _crews.Values)
            threads.Dispose();
    }
}
