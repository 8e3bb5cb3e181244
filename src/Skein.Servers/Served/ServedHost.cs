using System.Diagnostics;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Skein;

/// <summary>
/// Changes the application's host while it is built. Every builder of the framework (web application, slim, empty, generic host) tells
/// that moment by a diagnostic event; hosting-startup assemblies are ignored by some of them.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ServedHost(ServedApplication served) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    bool _isFound;

    public static void Watch(ServedApplication served) => DiagnosticListener.AllListeners.Subscribe(new ServedHost(served));

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.Extensions.Hosting")
            value.Subscribe(this);
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
            builder.ConfigureServices((_, services) => Change(services));
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    // An application may build other hosts, before its server or beside it.
    void Change(IServiceCollection services)
    {
        if (_isFound || !services.Any(service => service.ServiceType == typeof(IServer)))
            return;
        _isFound = true;
        var listeners = new InheritedListeners(served);
        services.AddSingleton<IConnectionListenerFactory>(listeners);
        services.PostConfigure<KestrelServerOptions>(listeners.Configure);
        services.PostConfigure<HostOptions>(options => options.ShutdownTimeout = served.Settings.Drain);
        services.AddHostedService(provider => new ReadyReport(served, provider.GetRequiredService<IHostApplicationLifetime>()));
        if (served.Settings.Keys is { } keys)
            SharedKeys.Add(services, keys, served.Settings.Server);
        if (served.Settings.Threads > 0)
        {
            services.AddSingleton(new ChosenModel(ServerModel.Dispatcher(served.Settings.Threads, served.Settings.Queue), new()));
            services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, ModelFilter>());
        }

        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter>(new RequestCounter(served)));   // the first sees requests first
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
