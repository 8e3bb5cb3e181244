using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Listens for many services and starts what serves them when somebody comes, as inetd does: a program for each connection, a program that
/// takes over the socket, or a C# function in a warm worker; each within its limits.
/// <code>
/// await using var server = await SuperServer.StartAsync(
/// [
///     Service.Program("git", ServiceEndpoint.Tcp(IPAddress.Any, 9418), "git", "daemon", "--inetd", "/srv/git") with { User = "git" },
///     Service.Handler("calc", ServiceEndpoint.Tcp(IPAddress.Loopback, 8001), Calculator.ServeAsync),
/// ]);
/// </code>
/// </summary>
/// <remarks>
/// <code>
///   StartAsync, ReloadAsync, StopAsync ──► ServiceLoop: one thread ──► RunningService, RunningService, …
///                                              accepts, starts, waits for ends
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
public sealed class SuperServer : IAsyncDisposable
{
    readonly List<RunningService> _running = [];   // the loop's
    readonly List<Leaving> _leaving = [];
    readonly CancellationTokenSource _stopping = new();
    readonly SemaphoreSlim _changing = new(1);
    readonly SuperServerOptions _options;
    readonly ILogger _logger;
    readonly ServiceLoop _loop;
    readonly TaskCompletionSource _endNow = new(TaskCreationOptions.RunContinuationsAsynchronously);
    bool _isStopped;

    SuperServer(SuperServerOptions options)
    {
        _options = options;
        _logger = options.LoggerFactory.CreateLogger<SuperServer>();
        _loop = new($"skein-{Id}", _logger);
    }

    /// <summary>Names the server among all that runs in this process.</summary>
    public string Id { get; } = ProcessIds.Next();

    /// <summary>What is wrong with services; empty: they can be started. Says nothing of ports that are in use, or programs that are not there (yet).</summary>
    public static IReadOnlyList<ServiceProblem> Check(IReadOnlyList<Service> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return [.. ServiceCheck.Problems(services)];
    }

    /// <summary>Listens for all of them; returns when all are ready, each after those that it waits for.</summary>
    /// <exception cref="ArgumentException">They cannot be started as they are described (<see cref="Check"/>).</exception>
    /// <exception cref="IOException">Nobody can listen on an address; the message says why and what to do.</exception>
    /// <exception cref="PlaceException">A worker, or a program that is to be started at once, cannot be started.</exception>
    /// <exception cref="TimeoutException">A service did not become ready in time.</exception>
    public static async Task<SuperServer> StartAsync(IReadOnlyList<Service> services, SuperServerOptions? options = null, CancellationToken cancellation = default)
    {
        Require(services);
        var server = new SuperServer((options ?? new()).Checked());
        try
        {
            await server.ChangeAsync(services, cancellation).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>All services as they are now, in the order in which they were started.</summary>
    public Task<IReadOnlyList<ServiceStatus>> StatusAsync() =>
        _loop.InvokeAsync<IReadOnlyList<ServiceStatus>>(() => [.. _running.Select(running => running.Status())]);

    /// <summary>
    /// Goes on with other services. Sockets of addresses that stay the same stay open, and what runs goes on to its end, also where its service
    /// is no more. Where the new services cannot be started, the exception says why, and the old ones are as they were.
    /// </summary>
    /// <inheritdoc cref="StartAsync"/>
    public Task ReloadAsync(IReadOnlyList<Service> services, CancellationToken cancellation = default)
    {
        Require(services);
        return ChangeAsync(services, cancellation);
    }

    /// <summary>
    /// Lets nobody in any more and waits for what runs. Programs that have the socket of their service are asked to end at once (SIGTERM), all
    /// others after the grace period, and what has not ended after its own grace is killed with all it started.
    /// </summary>
    /// <param name="grace">How long connections may go on; by default as the options say.</param>
    public async Task StopAsync(TimeSpan? grace = null)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);   // a reload that waits for something to become ready is given up
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_isStopped)
                return;
            _isStopped = true;
            var limit = grace ?? _options.Grace;
            Leaving[] all = [];
            await _loop.InvokeAsync(() =>
            {
                all = [.. _running.Select(service => new Leaving(service, service.Handlers)), .. LeavingNow()];
                foreach (var service in all.Select(leaving => leaving.Service).OfType<RunningService>())
                {
                    service.Dispose();
                    service.AskAll(onlyWaiting: limit > TimeSpan.Zero);
                }

                _running.Clear();
            }).ConfigureAwait(false);
            await Task.WhenAll(all.Select(leaving => DrainAsync(leaving, limit))).ConfigureAwait(false);
            await _loop.EndAsync().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Shortens a stop that waits: what still runs is killed now.</summary>
    public void EndNow() => _endNow.TrySetResult();

    /// <inheritdoc cref="StopAsync"/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    static void Require(IReadOnlyList<Service> services)
    {
        if (Check(services) is [var problem, ..])
            throw new ArgumentException($"Service {problem.Service.Name}: {problem.Message}", nameof(services));
    }

    async Task ChangeAsync(IReadOnlyList<Service> services, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            var before = await _loop.InvokeAsync(_running.ToArray).ConfigureAwait(false);
            var change = new ServiceChange(_loop, before, _options);
            try
            {
                change.Prepare(ServiceCheck.InOrder(services));
                await change.StartAsync(either.Token).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                await change.RollBackAsync().ConfigureAwait(false);
                ObjectDisposedException.ThrowIf(error is OperationCanceledException && !cancellation.IsCancellationRequested, this);
                throw;
            }

            foreach (var leaving in await _loop.InvokeAsync(() => Commit(change)).ConfigureAwait(false))
                _ = ForgetAsync(leaving);
        }
        finally
        {
            _changing.Release();
        }
    }

    Leaving[] Commit(ServiceChange change)
    {
        Leaving[] old = [.. change.Commit().Select(pair => new Leaving(pair.Service, pair.Handlers))];
        _running.Clear();
        _running.AddRange(change.Services);
        lock (_leaving)
            _leaving.AddRange(old);
        return old;
    }

    Leaving[] LeavingNow()
    {
        lock (_leaving)
            return [.. _leaving];
    }

    /// <summary>What a reload has left behind goes on to its end; handlers no longer than the grace period.</summary>
    async Task ForgetAsync(Leaving leaving)
    {
        if (leaving.Service is { } service)
            await service.Emptied.Task.ConfigureAwait(false);
        if (leaving.Handlers is { } handlers)
            await handlers.StopAsync(_options.Grace).ConfigureAwait(false);
        lock (_leaving)
            _leaving.Remove(leaving);
    }

    async Task DrainAsync(Leaving leaving, TimeSpan grace)
    {
        var (service, handlers) = leaving;
        var ended = service?.Emptied.Task ?? handlers!.StopAsync(grace);
        await Task.WhenAny(ended.EndsWithin(grace), _endNow.Task).ConfigureAwait(false);
        if (handlers is not null)
            await handlers.StopAsync(TimeSpan.Zero).ConfigureAwait(false);   // by now it has nothing more to do, or its time is over
        if (service is null || service.Emptied.Task.IsCompleted)
            return;
        await _loop.InvokeAsync(() => service.AskAll(onlyWaiting: false)).ConfigureAwait(false);
        await Task.WhenAny(service.Emptied.Task.EndsWithin(service.Definition.Limits.Grace), _endNow.Task).ConfigureAwait(false);
        if (service.Emptied.Task.IsCompleted)
            return;
        await _loop.InvokeAsync(service.KillAll).ConfigureAwait(false);
        await service.Emptied.Task.EndsWithin(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
    }

    /// <summary>A service that is no more, or the handlers that a service has had, until what they serve has ended.</summary>
    sealed record Leaving(RunningService? Service, HandlerHost? Handlers);
}

static class TaskLimit
{
    /// <summary>Waits no longer than the limit; false: it has not ended.</summary>
    public static async Task<bool> EndsWithin(this Task task, TimeSpan limit)
    {
        try
        {
            await task.WaitAsync(limit, TimeProvider.System).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return task.IsCompleted;
        }
    }
}
