using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Skein;

/// <summary>
/// In a worker: the application's own host, with its services and its configuration, which listens nowhere; and the endpoints it would
/// have served.
/// </summary>
sealed class WorkerHost
{
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    static WorkerHost? _here;

    readonly IHttpContextFactory _contexts;
    readonly Dictionary<string, Endpoint> _endpoints = [];

    WorkerHost(IServiceProvider services)
    {
        _contexts = services.GetRequiredService<IHttpContextFactory>();
        foreach (var endpoint in services.GetRequiredService<EndpointDataSource>().Endpoints)
        {
            if (endpoint.Metadata.GetMetadata<IsolatedEndpoint>() is { } isolated)
                _endpoints[isolated.Key] = endpoint;
        }
    }

    /// <summary>This process is a worker of isolated endpoints.</summary>
    public static bool IsHere { get; private set; }

    /// <summary>Runs the application's Main up to the point where it would listen.</summary>
    /// <exception cref="InvalidOperationException">It did not come so far: the message says why.</exception>
    public static void Build(string application, string[] arguments)
    {
        IsHere = true;
        var run = new EntryPointRun(application, arguments);
        _here = new(run.Services(StartLimit));
    }

    /// <summary>Runs an endpoint: the function of a request's task.</summary>
    public static ValueTask<IsolatedResponse> RunAsync(IsolatedRequest request) =>
        (_here ?? throw new InvalidOperationException("No host was built in this worker.")).ServeAsync(request);

    async ValueTask<IsolatedResponse> ServeAsync(IsolatedRequest request)
    {
        if (!_endpoints.TryGetValue(request.Endpoint, out var endpoint))
            throw new InvalidOperationException($"The application has mapped no endpoint '{request.Endpoint}' in its worker. It must map the same endpoints in the same order whenever it runs.");

        var stopping = Here.Stopping;
        using var response = new WorkerResponse(request.Respond);
        using var exchange = new WorkerExchange(request, response, stopping);
        var context = _contexts.Create(exchange.Features);
        Exception? error = null;
        try
        {
            context.SetEndpoint(endpoint);
            await endpoint.RequestDelegate!(context).ConfigureAwait(false);
            await response.StartAsync().ConfigureAwait(false);
        }
        catch (Exception thrown) when (thrown is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            error = thrown;
        }

        var last = await response.EndAsync().ConfigureAwait(false);
        await response.CompletedAsync().ConfigureAwait(false);
        _contexts.Dispose(context);
        return new() { Last = last, Fault = error is null ? null : FaultRecord.Of(error), Aborted = exchange.IsAborted };
    }
}
