using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Skein;

/// <summary>Changes the application's host while it is built.</summary>
[SupportedOSPlatform("linux")]
sealed class ServedHost
{
    readonly ServedApplication _served;
    bool _isFound;

    ServedHost(ServedApplication served) => _served = served;

    public static void Watch(ServedApplication served) => HostBuilding.Watch(new ServedHost(served).Change);

    // An application may build other hosts, before its server or beside it.
    void Change(IServiceCollection services)
    {
        var chosen = services.LastOrDefault(service => service.ImplementationInstance is ChosenModel)?.ImplementationInstance as ChosenModel;
        if (_isFound || !services.Any(service => service.ServiceType == typeof(IServer)) || (_served.Settings.IsAsked && chosen?.Workers is null))
            return;
        _isFound = true;
        _served.Found();
        var listeners = new InheritedListeners(_served);
        services.AddSingleton<IConnectionListenerFactory>(listeners);
        services.PostConfigure<KestrelServerOptions>(listeners.Configure);
        services.PostConfigure<HostOptions>(options => (_served.Stop, options.ShutdownTimeout) = (options, _served.Settings.Drain));
        services.AddHostedService(provider => new ReadyReport(_served, provider.GetRequiredService<IHostApplicationLifetime>()));
        if (_served.Settings.Keys is { } keys)
            SharedKeys.Add(services, keys, _served.Settings.Server);
        services.AddSingleton(_served.Named);
        var own = services.Where(service => service.ImplementationType == typeof(ModelFilter)).ToArray();
        if (_served.Settings.Model is { } model)
        {
            foreach (var filter in own)
                services.Remove(filter);   // what the operator says counts: requests go through one dispatcher, not two
            services.AddSingleton(new ChosenModel(model, chosen?.Options ?? new()));
            services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, ModelFilter>());
        }
        else if (own.Length == 0)
        {
            services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, CancelFilter>());
        }

        if (services.Any(service => service.ImplementationType == typeof(ModelFilter)))
            services.AddHostedService(provider => new ThreadWatch(_served, provider.GetServices<IStartupFilter>().OfType<ModelFilter>().First()));

        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter>(provider => new NegotiatedSockets(provider, _served.Requests)));
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter>(new RequestCounter(_served)));   // the first sees requests first
    }
}

/// <summary>Tells the master when the whole application has started.</summary>
[SupportedOSPlatform("linux")]
sealed class ReadyReport(ServedApplication served, IHostApplicationLifetime lifetime) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() => served.Ready(lifetime));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Where requests run on threads of the server: lets the master hear how they are.</summary>
[SupportedOSPlatform("linux")]
sealed class ThreadWatch(ServedApplication served, ModelFilter filter) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        served.Threads = filter.Threads is { } threads ? new(threads, TimeProvider.System) : null;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
