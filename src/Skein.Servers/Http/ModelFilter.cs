using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Skein;

/// <summary>Puts the dispatcher before the application's own middleware, and ends its threads with the application.</summary>
sealed class ModelFilter(ChosenModel chosen, IServiceProvider services) : IStartupFilter, IDisposable
{
    /// <summary>Null where Kestrel runs the requests itself.</summary>
    public HandlerThreads? Threads { get; } = chosen.Model.Kind == ServerModelKind.EventLoop ? null : new(chosen.Model);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        if (Threads is not null)
        {
            var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
            app.Use(following => new RequestDispatcher(following, Threads, chosen.Options, time).InvokeAsync);
        }

        next(app);
    };

    public void Dispose() => Threads?.Dispose();
}

/// <summary>What <see cref="SkeinWebHostExtensions"/> was asked for.</summary>
sealed record ChosenModel(ServerModel Model, HttpServerOptions Options);
