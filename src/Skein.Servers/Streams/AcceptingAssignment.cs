using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>What a worker of a prefork server needs to serve, as it travels.</summary>
/// <param name="Server">The server's id.</param>
[SupportedOSPlatform("linux")]
sealed record AcceptingAssignment(string Server, Func<ConnectionContext, Task> Handler, Func<ConnectionContext, Task>? Receive)
{
    /// <summary>The numbers of a worker's connections are its own number times this, and more.</summary>
    public const long NumbersEach = 1_000_000_000;

    public required AcceptingTls? Tls { get; init; }

    public required TimeSpan TlsTimeout { get; init; }

    public required TimeSpan BlockedAfter { get; init; }

    public required TimeSpan DeafAfter { get; init; }

    public required TimeSpan? Timeout { get; init; }

    public required bool HalfClose { get; init; }

    public required int MaxConnections { get; init; }

    public required int Backlog { get; init; }

    public required int ReadAhead { get; init; }

    /// <summary>Names the worker; from 1.</summary>
    public int Number { get; init; }

    /// <summary>It listens.</summary>
    public PassedDescriptor? Socket { get; init; }

    /// <summary>The other end of an <see cref="AcceptingLink"/>.</summary>
    public PassedDescriptor? Link { get; init; }

    public Callback<int, Nothing>? Ready { get; init; }

    /// <summary>Interrupts a connection of another worker.</summary>
    public Callback<string, bool>? Cancel { get; init; }

    public IProgress<WorkerWarning>? Warn { get; init; }

    public static AcceptingAssignment Of(string server, ConnectionDelegate handler, int workers, StreamServerOptions options) =>
        new(server, Function(handler), options.Receive is { } receive ? Function(receive) : null)
        {
            Tls = options.Tls is { } tls ? AcceptingTls.Of(tls) : null,
            TlsTimeout = options.TlsTimeout,
            BlockedAfter = options.BlockedAfter,
            DeafAfter = options.DeafAfter,
            Timeout = options.Timeout,
            HalfClose = options.HalfClose,
            MaxConnections = (options.MaxConnections + workers - 1) / workers,
            Backlog = options.Backlog,
            ReadAhead = options.ReadAhead,
        };

    /// <summary>In the worker.</summary>
    public StreamServerOptions OptionsHere() => new()
    {
        Tls = Tls?.OptionsHere(),
        TlsTimeout = TlsTimeout,
        BlockedAfter = BlockedAfter,
        DeafAfter = DeafAfter,
        Timeout = Timeout,
        HalfClose = HalfClose,
        MaxConnections = MaxConnections,
        Backlog = Backlog,
        ReadAhead = ReadAhead,
        Receive = Receive is { } receive ? connection => receive(connection) : null,
        LoggerFactory = new Warnings(Number, Warn!),
    };

    // Delegates of the framework's own kind do not travel.
    static Func<ConnectionContext, Task> Function(ConnectionDelegate function) =>
        (Func<ConnectionContext, Task>)Delegate.CreateDelegate(typeof(Func<ConnectionContext, Task>), function.Target, function.Method);

    sealed class Warnings(int worker, IProgress<WorkerWarning> warn) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                warn.Report(new(worker, (int)logLevel, exception is null ? formatter(state, null) : $"{formatter(state, exception)} {exception}"));
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>The certificate of a server, with its key, and what is asked of clients.</summary>
sealed record AcceptingTls(byte[] Certificates, string Leaf, bool AsksClients, int Protocols, int Revocation, byte[][] Applications)
{
    /// <exception cref="ArgumentException">What cannot travel is set, or the certificate's key cannot be had.</exception>
    public static AcceptingTls Of(SslServerAuthenticationOptions options)
    {
        if (options is not { ServerCertificateSelectionCallback: null, RemoteCertificateValidationCallback: null, CipherSuitesPolicy: null, CertificateChainPolicy: null })
            throw new ArgumentException("Callbacks and policies of TLS cannot be sent to the workers of ServerModel.Prefork.", nameof(options));
        var leaf = (options.ServerCertificate ?? options.ServerCertificateContext?.TargetCertificate) as X509Certificate2
            ?? throw new ArgumentException("Tls has no certificate (ServerCertificate or ServerCertificateContext, an X509Certificate2).", nameof(options));
        return new(
            new X509Certificate2Collection((X509Certificate2[])[leaf, .. options.ServerCertificateContext?.IntermediateCertificates ?? []]).Export(X509ContentType.Pkcs12)!,
            leaf.Thumbprint, options.ClientCertificateRequired, (int)options.EnabledSslProtocols, (int)options.CertificateRevocationCheckMode,
            [.. options.ApplicationProtocols?.Select(protocol => protocol.Protocol.ToArray()) ?? []]);
    }

    public SslServerAuthenticationOptions OptionsHere()
    {
        var all = X509CertificateLoader.LoadPkcs12Collection(Certificates, null);
        return new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(all.First(certificate => certificate.Thumbprint == Leaf), all, offline: true),
            ClientCertificateRequired = AsksClients,
            EnabledSslProtocols = (SslProtocols)Protocols,
            CertificateRevocationCheckMode = (X509RevocationMode)Revocation,
            ApplicationProtocols = Applications.Length == 0 ? null : [.. Applications.Select(protocol => new SslApplicationProtocol(protocol))],
        };
    }
}
