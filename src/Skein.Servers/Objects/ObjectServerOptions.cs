using System.Net.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>How an <see cref="ObjectServer"/> treats clients and objects.</summary>
public sealed record ObjectServerOptions
{
    /// <summary>What clients must know. Needed wherever others can connect, unless TLS asks clients for a certificate.</summary>
    public string? Secret { get; init; }

    /// <summary>The certificate and settings of TLS; null: connections are not encrypted.</summary>
    public SslServerAuthenticationOptions? Tls { get; init; }

    /// <summary>Where the state of objects goes when they are idle; by default the memory of this process.</summary>
    public ObjectStore Store { get; init; } = ObjectStore.InMemory();

    /// <summary>After this long without a call a shared object is passivated: its state goes to the store, and it is disposed. 10 min by default;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Calls of one client that may be under way or wait; more are read later. 1,000 by default.</summary>
    public int MaxCallsPerClient { get; init; } = 1000;

    /// <summary>The longest call or answer, in bytes: 16 MiB by default.</summary>
    public int MaxMessage { get; init; } = 16 << 20;

    /// <summary>How long a client may take to show that it knows the secret: 10 s by default.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long calls may go on after the server was asked to stop: 10 s by default.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock by which objects become idle.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where warnings go; by default nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal ObjectServerOptions Checked()
    {
        ArgumentNullException.ThrowIfNull(Store);
        ArgumentNullException.ThrowIfNull(TimeProvider);
        ArgumentNullException.ThrowIfNull(LoggerFactory);
        if (IdleTimeout != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(IdleTimeout, TimeSpan.Zero, nameof(IdleTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HandshakeTimeout, TimeSpan.Zero, nameof(HandshakeTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(Grace, TimeSpan.Zero, nameof(Grace));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxCallsPerClient, 1, nameof(MaxCallsPerClient));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessage, 1024, nameof(MaxMessage));
        return this;
    }
}
