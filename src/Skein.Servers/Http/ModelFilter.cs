using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>Puts the dispatcher before the application's own middleware, and ends its threads with the application.</summary>
sealed class ModelFilter(ChosenModel chosen, IServiceProvider services) : IStartupFilter, IDisposable
{
    /// <summary>Null where Kestrel runs the requests itself.</summary>
    public HandlerThreads? Threads { get; } = chosen.Model.Kind == ServerModelKind.EventLoop ? null : new(chosen.Model);

    /// <summary>Null where no limit was asked for.</summary>
    public RequestLimiter? Limiter { get; } = chosen.Options.Limit is { } limit ? new(limit, services.GetService<TimeProvider>() ?? TimeProvider.System) : null;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var logger = services.GetService<ILoggerFactory>()?.CreateLogger("Skein.Http") ?? NullLogger.Instance;
        app.Use(following => new RequestInterruption(following, services.GetService<NamedRequests>() ?? new(), chosen.Options, time, logger).InvokeAsync);
        if (Threads is not null || Limiter is not null)
            app.Use(following => new RequestDispatcher(following, Threads, Limiter, chosen.Options, time).InvokeAsync);
        next(app);
    };

    public void Dispose()
    {
        Threads?.Dispose();
        Limiter?.Dispose();
    }
}

/// <summary>What an application has asked for by UseSkein.</summary>
/// <param name="Workers">In how many processes; null: in this one.</param>
sealed record ChosenModel(ServerModel Model, HttpServerOptions Options, int? Workers = null);
