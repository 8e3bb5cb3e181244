using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Skein;

/// <summary>
/// One word decides who runs an application's requests. Kestrel reads and parses them under every <see cref="ServerModel"/>, so clients
/// that send slowly cost no thread.
/// </summary>
public static class SkeinWebHostExtensions
{
    /// <summary>Runs all requests of the application, middleware included, as the model says.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="model">Who runs a request.</param>
    /// <param name="options">Deadlines and refusals.</param>
    /// <example><code>builder.UseSkein(ServerModel.Dispatcher(threads: 16, queue: 64));</code></example>
    public static WebApplicationBuilder UseSkein(this WebApplicationBuilder builder, ServerModel model, HttpServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Add(builder.Services, model, options);
        return builder;
    }

    /// <inheritdoc cref="UseSkein(WebApplicationBuilder, ServerModel, HttpServerOptions)"/>
    public static IWebHostBuilder UseSkein(this IWebHostBuilder builder, ServerModel model, HttpServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(services => Add(services, model, options));
    }

    static void Add(IServiceCollection services, ServerModel model, HttpServerOptions? options)
    {
        ArgumentNullException.ThrowIfNull(model);
        var chosen = new ChosenModel(model, (options ?? new()).Checked());
        if (model.Kind == ServerModelKind.Prefork)
        {
            // In a worker, of whichever kind, Kestrel runs the requests; elsewhere this program becomes the master.
            chosen = chosen with { Model = ServerModel.EventLoop, Workers = model.Workers };
            if (!OperatingSystem.IsLinux())
                throw new PlatformNotSupportedException("ServerModel.Prefork needs Linux.");
            if (!ServedApplication.IsHere && !WorkerHost.IsHere)
                PreforkHost.Watch();
        }

        services.AddSingleton(chosen);   // the last one counts
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ModelFilter>());
    }
}
