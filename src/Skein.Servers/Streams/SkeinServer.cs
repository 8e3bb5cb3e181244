using System.Net;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein;

/// <summary>
/// Serves a protocol of any kind: a handler for one connection, and the <see cref="ServerModel"/> that says who runs it for how many.
/// </summary>
/// <example>
/// <code>
/// await using var server = await SkeinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 7), Echo, ServerModel.EventLoop);
///
/// static async Task Echo(ConnectionContext connection) =>
///     await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
/// </code>
/// </example>
[SupportedOSPlatform("linux")]
public sealed class SkeinServer : IAsyncDisposable
{
    readonly StreamServing _serving;

    SkeinServer(string id, ServerModel model, StreamServing serving) => (Id, Model, _serving) = (id, model, serving);

    /// <summary>Listens, and serves connections from now on.</summary>
    /// <param name="endpoint">
    /// An <see cref="IPEndPoint"/> (port 0: a free one), a Unix socket, or a <see cref="FileHandleEndPoint"/>: a socket that this process
    /// has inherited.
    /// </param>
    /// <param name="handler">
    /// Serves one connection: when its task completes, the connection is complete. Under <see cref="ServerModel.Prefork"/> it goes to other processes,
    /// with what it has captured.
    /// </param>
    /// <param name="model">Who runs it.</param>
    /// <param name="options">TLS, limits, where warnings go.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="IOException">Nobody can listen there; the message says why and what to do.</exception>
    /// <exception cref="CannotTravelException">Under <see cref="ServerModel.Prefork"/>: the handler holds what cannot leave this process.</exception>
    /// <exception cref="PlaceException">Under <see cref="ServerModel.Prefork"/>: a worker could not be started.</exception>
    public static async Task<SkeinServer> StartAsync(
        EndPoint endpoint, ConnectionDelegate handler, ServerModel model, StreamServerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(model);
        cancellation.ThrowIfCancellationRequested();
        var (id, chosen) = (ProcessIds.Next(), (options ?? new()).Checked());
        return new(id, model, model.Kind == ServerModelKind.Prefork
            ? await AcceptingWorkers.StartAsync(id, endpoint, handler, model.Workers, chosen, cancellation).ConfigureAwait(false)
            : new LocalServing(id, endpoint, handler, model, chosen));
    }

    /// <inheritdoc cref="StartAsync(EndPoint, ConnectionDelegate, ServerModel, StreamServerOptions, CancellationToken)"/>
    public static Task<SkeinServer> StartAsync(
        EndPoint endpoint, ConnectionHandler handler, ServerModel model, StreamServerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return StartAsync(endpoint, handler.OnConnectedAsync, model, options, cancellation);
    }

    /// <summary>Names the server among all that runs in this process.</summary>
    public string Id { get; }

    /// <summary>How it serves.</summary>
    public ServerModel Model { get; }

    /// <summary>Where it listens, with the port that it got.</summary>
    public EndPoint EndPoint => _serving.EndPoint;

    /// <summary>The table of its connections, as it is now; in order of arrival. Workers are asked; those that do not answer for a second are missing.</summary>
    public IReadOnlyList<ConnectionStatus> Connections => _serving.Connections;

    /// <summary>How many connections were accepted since the start.</summary>
    public long AcceptedCount => _serving.Counts.Accepted;

    /// <summary>How many of them were refused because all threads were busy and the queue was full.</summary>
    public long RefusedCount => _serving.Counts.Refused;

    /// <summary>How many handlers have failed.</summary>
    public long FailedCount => _serving.Counts.Failed;

    /// <summary>The processes of its workers; none where it serves in this one.</summary>
    public IReadOnlyList<int> WorkerProcessIds => (_serving as AcceptingWorkers)?.ProcessIds ?? [];

    /// <summary>Interrupts the handler of the connection that has this key. False: none has.</summary>
    public bool TryCancel(CancelKey key) => _serving.TryCancel(key);

    /// <summary>
    /// Accepts no more, asks handlers to end (<see cref="Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeNotificationFeature"/>),
    /// and aborts what is left after the grace period.
    /// </summary>
    /// <param name="grace">How long connections may go on; by default as the options say.</param>
    public Task StopAsync(TimeSpan? grace = null) => _serving.StopAsync(grace);

    /// <inheritdoc cref="StopAsync"/>
    public async ValueTask DisposeAsync() => await _serving.DisposeAsync().ConfigureAwait(false);
}
