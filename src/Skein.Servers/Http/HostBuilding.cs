using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Skein;

/// <summary>
/// The moment in which a host is built, when the application has added all its services. Every builder of the framework (web application,
/// slim, empty, generic host) tells it by a diagnostic event; hosting-startup assemblies are ignored by some of them.
/// </summary>
sealed class HostBuilding : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    readonly Action<IServiceCollection> _change;

    HostBuilding(Action<IServiceCollection> change) => _change = change;

    /// <summary>From now on changes the services of each host that is built in this process.</summary>
    public static void Watch(Action<IServiceCollection> change) => DiagnosticListener.AllListeners.Subscribe(new HostBuilding(change));

    void IObserver<DiagnosticListener>.OnNext(DiagnosticListener listener)
    {
        if (listener.Name == "Microsoft.Extensions.Hosting")
            listener.Subscribe(this);
    }

    void IObserver<KeyValuePair<string, object?>>.OnNext(KeyValuePair<string, object?> change)
    {
        if (change is { Key: "HostBuilding", Value: IHostBuilder builder })
            builder.ConfigureServices((_, services) => _change(services));
    }

    void IObserver<DiagnosticListener>.OnCompleted()
    {
    }

    void IObserver<DiagnosticListener>.OnError(Exception error)
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnCompleted()
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnError(Exception error)
    {
    }
}
