using System.Runtime.Versioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>Sessions of an HTTP application, in a process beside it.</summary>
[SupportedOSPlatform("linux")]
public static partial class SkeinSessionExtensions
{
    /// <summary>
    /// Adds the store's client, which is the application's <see cref="IDistributedCache"/> as well. The store is the one that
    /// <see cref="SessionStore.Variable"/> names; where there is none, the application starts its own.
    /// </summary>
    /// <example>
    /// <code>
    /// builder.Services.AddSkeinSessions(new() { IdleTimeout = TimeSpan.FromMinutes(5) });
    /// …
    /// app.UseSkeinSessions();
    /// app.MapGet("/", (HttpContext context) => context.Session.GetString("name"));
    /// </code>
    /// </example>
    public static IServiceCollection AddSkeinSessions(this IServiceCollection services, SessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton((options ?? new()).Checked());
        services.AddSingleton<StoreOfApplication>();
        services.AddHostedService(provider => provider.GetRequiredService<StoreOfApplication>());
        services.AddSingleton(provider => provider.GetRequiredService<StoreOfApplication>().Client);
        services.AddSingleton<IDistributedCache>(provider => provider.GetRequiredService<SessionStoreClient>());
        return services;
    }

    /// <summary>Gives each request behind this its session, as <c>HttpContext.Session</c>. One whose entries are all removed ends.</summary>
    public static IApplicationBuilder UseSkeinSessions(this IApplicationBuilder application)
    {
        ArgumentNullException.ThrowIfNull(application);
        return application.UseMiddleware<SessionMiddleware>();
    }

    sealed partial class StoreOfApplication(SessionOptions options, ILogger<SessionStore> logger) : IHostedLifecycleService, IAsyncDisposable
    {
        SessionStore? _own;
        SessionStoreClient? _client;

        public SessionStoreClient Client => _client ?? throw new InvalidOperationException("The store of sessions starts with the application.");

        // Before any other service starts: the server's pipeline is built with the client in it.
        public async Task StartingAsync(CancellationToken cancellationToken)
        {
            var address = Environment.GetEnvironmentVariable(SessionStore.Variable);
            if (string.IsNullOrEmpty(address))
            {
                _own = await SessionStore.StartAsync(options, cancellationToken).ConfigureAwait(false);
                address = _own.Address;
                LogOwn(logger);
            }

            _client = new(address);
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        [LoggerMessage(Level = LogLevel.Information, Message = "This process has a store of sessions of its own. Workers that are to share one are started by skein serve --sessions.")]
        static partial void LogOwn(ILogger logger);

        public async ValueTask DisposeAsync()
        {
            _client?.Dispose();
            if (_own is not null)
                await _own.DisposeAsync().ConfigureAwait(false);
        }
    }
}
