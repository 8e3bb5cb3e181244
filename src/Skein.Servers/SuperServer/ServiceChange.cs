using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// The step from the services that run to others. Whatever can fail comes before anything that runs is touched: new addresses are bound, new
/// workers warm, new services ready. Then all is taken over at once.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ServiceChange(ServiceLoop loop, IReadOnlyList<RunningService> before, SuperServerOptions options)
{
    readonly List<Planned> _planned = [];
    readonly ILogger _logger = options.LoggerFactory.CreateLogger<SuperServer>();

    /// <summary>Those that run afterwards.</summary>
    public IEnumerable<RunningService> Services => _planned.Select(planned => planned.Running);

    /// <summary>Binds the addresses that are new.</summary>
    public void Prepare(IReadOnlyList<Service> services)
    {
        foreach (var service in services)
        {
            var program = service.File is null ? null : new ServiceProgram(service);
            if (before.FirstOrDefault(running => IsSame(running.Definition, service)) is { } kept)
            {
                _planned.Add(new(service, kept, IsNew: false) { Program = program });
                continue;
            }

            var socket = ServiceSocket.Bind(service.Endpoint);
            _planned.Add(new(service, new(loop, service, socket, program, options), IsNew: true) { Program = program });
        }
    }

    /// <summary>Starts workers that are new, and opens services that are new, each when those before it are ready.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        foreach (var planned in _planned)
        {
            planned.Handlers = !planned.IsNew && planned.Running.Definition is var definition && IsServedAsBefore(definition, planned.Service)
                ? planned.Running.Handlers
                : await StartHandlersAsync(planned, cancellation).ConfigureAwait(false);
            if (!planned.IsNew)
                continue;
            await loop.InvokeAsync(() => planned.Running.Open(planned.Handlers, options.Backlog)).ConfigureAwait(false);
            try
            {
                await planned.Running.Ready.WaitAsync(options.ReadyTimeout, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw NotReady(planned.Service);
            }
        }
    }

    /// <summary>On the loop's thread.</summary>
    /// <returns>What is no longer used, for the end of what it serves to be waited for.</returns>
    public IReadOnlyList<(RunningService? Service, HandlerHost? Handlers)> Commit()
    {
        var old = new List<(RunningService?, HandlerHost?)>();
        foreach (var planned in _planned.Where(planned => !planned.IsNew))
        {
            var handlers = planned.Running.Handlers;
            if (handlers is WorkerHandlers from && planned.Handlers is WorkerHandlers to && from != to)
                from.HandSessionsTo(to);
            planned.Running.Update(planned.Service, planned.Program, planned.Handlers);
            if (handlers is not null && handlers != planned.Handlers)
                old.Add((null, handlers));
        }

        foreach (var running in before.Where(running => !Services.Contains(running)))
        {
            running.Dispose();
            running.AskAll(onlyWaiting: true);   // by itself a program that has the socket would never end, and nobody could listen there again
            old.Add((running, running.Handlers));
        }

        return old;
    }

    /// <summary>Nothing of it is left.</summary>
    public async Task RollBackAsync()
    {
        foreach (var planned in _planned)
        {
            if (planned.IsNew)
            {
                await loop.InvokeAsync(() =>
                {
                    planned.Running.Dispose();
                    planned.Running.KillAll();
                }).ConfigureAwait(false);
            }

            if (planned.Handlers is not null && (planned.IsNew || planned.Handlers != planned.Running.Handlers))
                await planned.Handlers.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            if (planned.IsNew)
                await planned.Running.Emptied.Task.EndsWithin(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        }
    }

    async Task<HandlerHost?> StartHandlersAsync(Planned planned, CancellationToken cancellation)
    {
        var (service, address) = (planned.Service, planned.Running.Socket.Address);
        if (service is { Protocol: { } protocol, IsStream: true })
            return Local(connection => BuiltInProtocol.ServeAsync(protocol, connection));
        if (service.Function is not { } handler)
            return null;
        if (service.Place == Place.Thread)
            return Local(handler);
        var workers = await WorkerHandlers.StartAsync(loop, service, address, _logger, planned.Running.Resume, cancellation).ConfigureAwait(false);
        try
        {
            await workers.Ready.WaitAsync(options.ReadyTimeout, cancellation).ConfigureAwait(false);
            return workers;
        }
        catch (Exception error)
        {
            await workers.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            if (error is TimeoutException)
                throw NotReady(service);
            throw;
        }

        LocalHandlers Local(Func<Microsoft.AspNetCore.Connections.ConnectionContext, Task> function) =>
            new(loop, new(address, function, service.Limits.IdleTimeout, service.Limits.WallTime, options.LoggerFactory));
    }

    TimeoutException NotReady(Service service) =>
        new($"Service {service.Name} has not become ready within {options.ReadyTimeout}{(service.Notifies ? ": its program has not said READY=1 to NOTIFY_SOCKET" : "")}.");

    /// <summary>Two services with one socket are the same service, now and then. One on any free port is known by its name.</summary>
    static bool IsSame(Service one, Service other) =>
        one.Endpoint == other.Endpoint && (!ServiceCheck.IsFreePort(one) || one.Name == other.Name);

    static bool IsServedAsBefore(Service before, Service now) =>
        now.HasSameHandler(before)
        || (now.Protocol is not null && now.Protocol == before.Protocol && now.Limits.IdleTimeout == before.Limits.IdleTimeout && now.Limits.WallTime == before.Limits.WallTime);

    sealed record Planned(Service Service, RunningService Running, bool IsNew)
    {
        public ServiceProgram? Program { get; init; }

        public HandlerHost? Handlers { get; set; }
    }
}
