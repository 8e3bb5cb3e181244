using System.Reflection;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Skein;

/// <summary>The server of a program that is its own master: it listens, and workers, each this program once more, accept and answer.</summary>
[SupportedOSPlatform("linux")]
sealed class PreforkServer : IServer
{
    readonly ServerAddressesFeature _addresses = new();
    readonly PreforkOptions _options;
    PreforkMaster? _master;
    MasterSignals? _signals;
    ServeOutput? _output;

    public PreforkServer(int workers, HttpServerOptions options, IOptions<HostOptions> host)
    {
        _options = new()
        {
            Id = Assembly.GetEntryAssembly()!.GetName().Name!,
            Workers = workers,
            IsAsked = true,
            Drain = host.Value.ShutdownTimeout,
            MaxRequests = options.MaxRequests,
            MaxMemory = options.MaxMemory,
        };
        Features.Set<IServerAddressesFeature>(_addresses);
    }

    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <exception cref="InvalidOperationException">The addresses cannot be listened on, or the workers do not start: the message says why.</exception>
    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull
    {
        try
        {
            var sockets = new List<ListeningSocket>();
            _master = new(_options, _ => Task.FromResult(Assembly.GetEntryAssembly()!.Location), Environment.GetCommandLineArgs()[1..], sockets);
            foreach (var address in _addresses.Addresses.DefaultIfEmpty("http://localhost:5000"))
                sockets.AddRange(ListeningSocket.OpenAll(address));
            _output = new(_master);
            await _master.StartAsync(cancellationToken).ConfigureAwait(false);
            _signals = new(_master);
            _addresses.Addresses.Clear();
            foreach (var socket in sockets)
                _addresses.Addresses.Add(socket.Address.ToString());
        }
        catch (ServeException error)
        {
            throw new InvalidOperationException(error.Message, error);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_master is not { } master)
            return;
        _signals?.Dispose();
        using var forced = cancellationToken.UnsafeRegister(static master => _ = ((PreforkMaster)master!).StopAsync(now: true), master);
        await master.StopAsync(now: false).ConfigureAwait(false);
        await master.DisposeAsync().ConfigureAwait(false);
        if (_output is not null)
            await _output.DisposeAsync().ConfigureAwait(false);
        _master = null;
    }

    // Where the start has failed, nobody stops.
    public void Dispose() => StopAsync(new(canceled: true)).GetAwaiter().GetResult();

    sealed class ServerAddressesFeature : IServerAddressesFeature
    {
        public ICollection<string> Addresses { get; } = [];

        public bool PreferHostingUrls { get; set; }
    }
}
