using System.Net;
using System.Net.Security;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Gives Kestrel the sockets that the master listens on, in the place of those that it would open itself. Where the application has asked
/// for other addresses of its own, nothing listens: two workers cannot have the same one.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class InheritedListeners : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    readonly ServedApplication _served;
    readonly List<(EndPoint EndPoint, bool IsSecure, int Descriptor)> _left;
    ILogger? _logger;

    public InheritedListeners(ServedApplication served)
    {
        _served = served;
        _left = [.. served.Settings.Addresses.Select((address, i) => Parse(address, ServedSettings.FirstListener + i))];
    }

    public void Configure(KestrelServerOptions options)
    {
        _logger = options.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Skein.Serve");
        var certificate = _served.Settings.Certificate is { } file ? new CertificateFile(file, _served.Settings.CertificateKey, TimeProvider.System) { OnFailure = error => _logger.NoCertificate(error.Message) } : null;
        foreach (var (endPoint, isSecure, _) in _left)
        {
            if (endPoint is IPEndPoint internet)
                options.Listen(internet, Secure);
            else
                options.ListenUnixSocket(endPoint.ToString()!, Secure);

            void Secure(ListenOptions listen)
            {
                if (isSecure && certificate is null)
                    listen.UseHttps();   // the application's own
                else if (isSecure)
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificateContext = certificate!.Current }) });
            }
        }
    }

    public bool CanBind(EndPoint endpoint) => true;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var index = _left.FindIndex(left => left.EndPoint.Equals(endpoint));
        if (index < 0)
        {
            _logger!.NotServed(endpoint);
            return new(new DeafListener(endpoint));
        }

        var (_, _, descriptor) = _left[index];
        _left.RemoveAt(index);
        return new(new InheritedListener(_served, endpoint, descriptor, _logger!));
    }

    static (EndPoint, bool, int) Parse(string address, int descriptor) =>
        address.Split(' ') is [var scheme, var place]
            ? (place.StartsWith('/') ? new System.Net.Sockets.UnixDomainSocketEndPoint(place) : IPEndPoint.Parse(place), scheme == "https", descriptor)
            : throw new ArgumentException($"'{address}' is no address.", nameof(address));
}

/// <summary>Stands for an address that nothing listens on.</summary>
sealed class DeafListener(EndPoint endPoint) : IConnectionListener
{
    readonly TaskCompletionSource<ConnectionContext?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EndPoint EndPoint => endPoint;

    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new(_ended.Task.WaitAsync(cancellationToken));

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _ended.TrySetResult(null);
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}

static partial class ServedMessages
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The application wants to listen on {EndPoint}, but it is served by 'skein serve': only what --listen names is listened on.")]
    public static partial void NotServed(this ILogger logger, EndPoint endPoint);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason} New connections get the one before.")]
    public static partial void NoCertificate(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No connection can be accepted ({Error}); the next try is in {Pause}.")]
    public static partial void NotAccepted(this ILogger logger, string error, TimeSpan pause);
}
