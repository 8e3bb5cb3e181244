using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Skein;

/// <summary>The server of a worker's host: it listens nowhere, and never says that it has started.</summary>
sealed class SilentServer(Action wouldListen) : IServer
{
    public IFeatureCollection Features { get; } = new FeatureCollection();

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull
    {
        wouldListen();
        return Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() { }
}
