using System.Runtime.Versioning;

namespace Skein;

/// <summary>Where the handler of a service runs.</summary>
[SupportedOSPlatform("linux")]
abstract class HandlerHost(ServiceLoop loop) : IAsyncDisposable
{
    readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _now = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _gate = new();
    Task? _stopped;
    bool _isClosed;

    /// <summary>Completes when it can serve.</summary>
    public abstract Task Ready { get; }

    /// <summary>The processes it has beside this one. Only on the loop's thread, as are the next two.</summary>
    public virtual IEnumerable<int> ProcessIds => [];

    /// <summary>Whether it can serve one more at the moment.</summary>
    public abstract bool HasRoom { get; }

    /// <summary>Serves a connection, which is its own from now on; null: it cannot, and it is not.</summary>
    /// <param name="ended">Called on the loop's thread.</param>
    public abstract HandlerInstance? TryServe(int connection, Source source, Action<HandlerInstance> ended);

    /// <summary>Serves what it has to its end, for no longer than the grace period. A later call without one cuts the first call's short.</summary>
    public Task StopAsync(TimeSpan grace)
    {
        if (grace <= TimeSpan.Zero)
            _now.TrySetResult();
        lock (_gate)
            return _stopped ??= StopOnceAsync(grace);
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    protected ServiceLoop Loop => loop;

    protected abstract bool IsIdle { get; }

    /// <summary>Gets nothing more to serve. On the loop's thread.</summary>
    protected virtual void Close()
    {
    }

    /// <summary>Ends, whatever it still serves.</summary>
    protected abstract Task EndAsync();

    /// <summary>Something it has served has ended. On the loop's thread.</summary>
    protected void Drain()
    {
        if (_isClosed && IsIdle)
            _drained.TrySetResult();
    }

    async Task StopOnceAsync(TimeSpan grace)
    {
        await loop.InvokeAsync(() =>
        {
            Close();
            _isClosed = true;
            Drain();
        }).ConfigureAwait(false);
        await Task.WhenAny(_drained.Task, _now.Task, Task.Delay(grace, TimeProvider.System)).ConfigureAwait(false);
        await EndAsync().ConfigureAwait(false);
    }
}

/// <summary>In the super-server's own process.</summary>
[SupportedOSPlatform("linux")]
sealed class LocalHandlers(ServiceLoop loop, HandlerServer server) : HandlerHost(loop)
{
    int _served;

    public override Task Ready => Task.CompletedTask;

    public override bool HasRoom => true;

    public override HandlerInstance TryServe(int connection, Source source, Action<HandlerInstance> ended)
    {
        var instance = new HandlerInstance(source, ended);
        _served++;
        server.Adopt(connection, source.EndPoint, () => Loop.Post(() =>
        {
            _served--;
            instance.End();
            Drain();
        }));
        return instance;
    }

    protected override bool IsIdle => _served == 0;

    protected override Task EndAsync() => server.StopAsync(TimeSpan.Zero);
}
