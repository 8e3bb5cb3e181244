using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Skein;

/// <summary>
/// The application's Main on a thread of its own. Its host gets a server that never listens and holds Main where it starts: what stands
/// after <c>app.Run()</c> is not reached. Hosted services do not start: they are the application's work, not a request's.
/// </summary>
sealed class EntryPointRun
{
    readonly TaskCompletionSource<IServiceProvider> _services = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly string _application;

    public EntryPointRun(string application, string[] arguments)
    {
        _application = application;
        HostBuilding.Watch(Silence);
        new Thread(() => Run(arguments)) { IsBackground = true, Name = "main" }.Start();
    }

    /// <summary>Waits until the host would listen.</summary>
    public IServiceProvider Services(TimeSpan limit)
    {
        try
        {
            return _services.Task.WaitAsync(limit).GetAwaiter().GetResult();
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"The Main of {_application} has not started its host within {limit} in a worker.");
        }
    }

    void Silence(IServiceCollection services)
    {
        ApplicationWork.Remove(services);
        foreach (var filter in services.Where(service => service.ImplementationType == typeof(ModelFilter)).ToArray())
            services.Remove(filter);   // one request at a time needs no dispatcher
        services.RemoveAll<IServer>();
        services.AddSingleton<IServer>(provider => new SilentServer(() => _services.TrySetResult(provider)));
        services.RemoveAll<IHostLifetime>();
        services.AddSingleton<IHostLifetime, NoLifetime>();
    }

    void Run(string[] arguments)
    {
        try
        {
            var main = Assembly.Load(_application).EntryPoint ?? throw new InvalidOperationException($"{_application} has no entry point.");
            main.Invoke(null, BindingFlags.DoNotWrapExceptions, null, main.GetParameters().Length == 0 ? [] : [arguments], null);
            _services.TrySetException(new InvalidOperationException($"The Main of {_application} has ended in a worker before it started a web host."));
        }
        catch (Exception error)
        {
            _services.TrySetException(new InvalidOperationException($"The Main of {_application} failed in a worker: {error.Message}", error));
        }
    }

    /// <summary>The parent ends its workers; signals are its own affair.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
