using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;

namespace Skein;

/// <summary>
/// Endpoints that run in processes of their own, in an otherwise ordinary application: what they break is theirs alone.
/// <code>
/// app.MapPost("/convert", Convert).RunIn(Place.OsProcess, workers: 4, memory: "256M", timeout: TimeSpan.FromSeconds(5));
/// </code>
/// </summary>
/// <remarks>
/// <code>
///   client ── Kestrel, middleware ── RequestForwarder ──► WorkerPool ──► WorkerHost ── the endpoint's own delegate
///                                          ▲  RequestExchange: the body's pieces, the response's pieces  │
///                                          └─────────────────────────────────────────────────────────────┘
/// </code>
/// A worker builds the application's own host by running its <c>Main</c> up to the point where it would listen.
/// </remarks>
public static class IsolatedEndpointExtensions
{
    /// <summary>Runs the handler of an endpoint (or of each endpoint of a group) in worker processes.</summary>
    /// <param name="builder">What <c>MapGet</c>, <c>MapGroup</c>, <c>MapControllers</c> and the like return.</param>
    /// <param name="place">Where: it must be able to kill, so it is <see cref="Place.OsProcess"/>.</param>
    /// <param name="workers">How many requests run at a time; by default one for each processor.</param>
    /// <param name="memory">What a worker may use at most, as <c>256M</c> or <c>1G</c>; null: no limit.</param>
    /// <param name="timeout">How long a request may run; null: as long as it likes.</param>
    /// <exception cref="ArgumentException">An option makes no sense, or the place is one that cannot kill.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TBuilder RunIn<TBuilder>(this TBuilder builder, Place place, int? workers = null, string? memory = null, TimeSpan? timeout = null)
        where TBuilder : IEndpointConventionBuilder
    {
        var bytes = 0L;
        if (memory is not null && !ByteSize.TryParse(memory, out bytes))
            throw new ArgumentException($"'{memory}' is no amount of memory: expected is {ByteSize.Expected}.", nameof(memory));
        var options = new IsolationOptions { MemoryLimit = memory is null ? null : bytes, Timeout = timeout };
        return RunIn(builder, place, workers is { } count ? options with { Workers = count } : options, Assembly.GetCallingAssembly());
    }

    /// <inheritdoc cref="RunIn{TBuilder}(TBuilder, Place, int?, string?, TimeSpan?)"/>
    /// <param name="options">Workers, limits and the queue before them.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TBuilder RunIn<TBuilder>(this TBuilder builder, Place place, IsolationOptions options) where TBuilder : IEndpointConventionBuilder =>
        RunIn(builder, place, options, Assembly.GetCallingAssembly());

    static TBuilder RunIn<TBuilder>(TBuilder builder, Place place, IsolationOptions options, Assembly caller) where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(options);
        if (place == Place.Thread)
            throw new ArgumentException("An isolated endpoint needs a place that can kill what runs there: Place.OsProcess.", nameof(place));

        var number = IsolatedEndpoint.NextGroup();
        var group = WorkerHost.IsHere ? null : new EndpointWorkers(place, options.Checked());
        builder.Finally(endpoint =>
        {
            var key = IsolatedEndpoint.KeyOf(number, endpoint);
            endpoint.Metadata.Add(new IsolatedEndpoint(key));
            if (group is not null)
                endpoint.RequestDelegate = new RequestForwarder(key, group.Join(endpoint.ApplicationServices)).InvokeAsync;
        });

        // The application's own Main has begun to map endpoints, so its workers can begin to start; elsewhere (in tests of the application,
        // in tools that look at it) they start when the endpoint is first used.
        if (group is not null && caller == Assembly.GetEntryAssembly() && !ApplicationWork.IsElsewhere)
            group.Begin(caller.GetName().Name!);
        return builder;
    }
}
