using System.Runtime.Versioning;

namespace Skein;

/// <summary>Where the handler of a service runs.</summary>
[SupportedOSPlatform("linux")]
abstract class HandlerHost : IAsyncDisposable
{
    /// <summary>Completes when it can serve.</summary>
    public abstract Task Ready { get; }

    /// <summary>Whether it can serve one more at the moment. Only on the loop's thread, as is the next.</summary>
    public abstract bool HasRoom { get; }

    /// <summary>Serves a connection, which is its own from now on; null: it cannot, and it is not.</summary>
    /// <param name="ended">Called on the loop's thread.</param>
    public abstract HandlerInstance? TryServe(int connection, Source source, Action<HandlerInstance> ended);

    /// <summary>Serves what it has to its end, for no longer than the grace period.</summary>
    public abstract Task StopAsync(TimeSpan grace);

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
}

/// <summary>In the super-server's own process.</summary>
[SupportedOSPlatform("linux")]
sealed class LocalHandlers(ServiceLoop loop, HandlerServer server) : HandlerHost
{
    public override Task Ready => Task.CompletedTask;

    public override bool HasRoom => true;

    public override HandlerInstance TryServe(int connection, Source source, Action<HandlerInstance> ended)
    {
        var instance = new HandlerInstance(source, ended);
        server.Adopt(connection, source.EndPoint, () => loop.Post(instance.End));
        return instance;
    }

    public override Task StopAsync(TimeSpan grace) => server.StopAsync(grace);
}
