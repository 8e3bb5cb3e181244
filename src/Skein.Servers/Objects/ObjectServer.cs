using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Serves objects behind typed interfaces. An object is created by its first call, does one call at a time, is passivated to a store when
/// it has been idle for long, and found again by its name.
/// </summary>
/// <example>
/// <code>
/// var catalog = new ObjectCatalog().Add&lt;IAccount&gt;(name => new Account());
/// await using var server = await ObjectServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 7000), catalog, new() { Secret = secret });
/// </code>
/// </example>
[SupportedOSPlatform("linux")]
public sealed class ObjectServer : IAsyncDisposable
{
    readonly Dictionary<string, ObjectKind> _kinds;
    readonly ActiveObjects _objects;
    readonly ObjectServerOptions _options;
    readonly ILogger _logger;
    SkeinServer _server = null!;

    ObjectServer(ObjectCatalog catalog, ObjectServerOptions options)
    {
        (_options, _logger) = (options, options.LoggerFactory.CreateLogger<ObjectServer>());
        _kinds = catalog.Kinds.ToDictionary(kind => kind.Interface.Name);
        _objects = new(options, _logger);
    }

    /// <summary>Listens, and serves from now on.</summary>
    /// <param name="endpoint">As for <see cref="SkeinServer"/>.</param>
    /// <param name="catalog">What it serves.</param>
    /// <param name="options">Secret, TLS, store, limits.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="ArgumentException">Anybody could call: an IP address needs a secret, or TLS that asks clients for a certificate.</exception>
    /// <exception cref="IOException">Nobody can listen there.</exception>
    public static async Task<ObjectServer> StartAsync(
        EndPoint endpoint, ObjectCatalog catalog, ObjectServerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(catalog);
        options = (options ?? new()).Checked();
        if (endpoint is not UnixDomainSocketEndPoint && string.IsNullOrEmpty(options.Secret) && options.Tls is not { ClientCertificateRequired: true })
        {
            throw new ArgumentException(
                $"Whoever reaches {endpoint} could call these objects: give the options a Secret, or TLS with ClientCertificateRequired.", nameof(options));
        }

        var server = new ObjectServer(catalog, options);
        try
        {
            server._server = await SkeinServer.StartAsync(
                endpoint, server.ServeAsync, ServerModel.EventLoop, new() { Tls = options.Tls, Grace = options.Grace, LoggerFactory = options.LoggerFactory }, cancellation).ConfigureAwait(false);
            if (endpoint is UnixDomainSocketEndPoint path && string.IsNullOrEmpty(options.Secret))
                File.SetUnixFileMode($"{path}", UnixFileMode.UserRead | UnixFileMode.UserWrite);   // the file's rights are the only ones that are asked for
            return server;
        }
        catch
        {
            await server._objects.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where it listens, with the port that it got.</summary>
    public EndPoint EndPoint => _server.EndPoint;

    /// <summary>How many objects are active now.</summary>
    public int ActiveCount => _objects.Count;

    /// <summary>The objects that are active now: interface and name.</summary>
    public IReadOnlyList<(string Interface, string Name)> Active => [.. _objects.All.Select(one => (one.Kind.Interface.Name, one.Name))];

    async Task ServeAsync(ConnectionContext connection)
    {
        using (var limit = new CancellationTokenSource(_options.HandshakeTimeout, TimeProvider.System))
        using (limit.Token.UnsafeRegister(static connection => ((ConnectionContext)connection!).Abort(new("No handshake.")), connection))
        {
            if (!await Handshake.ServeAsync(connection.Transport, _options.Secret).ConfigureAwait(true))
            {
                _logger.ClientRefused(connection.ConnectionId);
                return;
            }
        }

        await new ServedClient(connection, _kinds, _objects, _options).ServeAsync().ConfigureAwait(true);
    }

    /// <summary>Takes no more calls, answers those that are under way, and takes the state of all objects to the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync().ConfigureAwait(false);
        await _objects.DisposeAsync().ConfigureAwait(false);
    }
}
