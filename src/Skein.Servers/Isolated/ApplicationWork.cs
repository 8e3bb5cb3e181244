using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Skein;

/// <summary>What an application does beside serving requests, its hosted services: not wanted where a process has only a part of it.</summary>
static class ApplicationWork
{
    const string WebHostService = "Microsoft.AspNetCore.Hosting.GenericWebHostService";   // builds the pipeline, then starts the server

    /// <summary>All requests are served by other processes, which do the application's work too.</summary>
    public static bool IsElsewhere { get; set; }

    public static void Remove(IServiceCollection services)
    {
        foreach (var service in services.Where(service => service.ServiceType == typeof(IHostedService) && service is { IsKeyedService: false } && service.ImplementationType?.FullName != WebHostService).ToArray())
            services.Remove(service);
    }
}
