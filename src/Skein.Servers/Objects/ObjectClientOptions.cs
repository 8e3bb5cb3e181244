using System.Net.Security;

namespace Skein;

/// <summary>How an <see cref="ObjectClient"/> connects.</summary>
public sealed record ObjectClientOptions
{
    /// <summary>What client and server both know; null: nothing is asked.</summary>
    public string? Secret { get; init; }

    /// <summary>The settings of TLS; null: the connection is not encrypted.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>How long connecting may take, with TLS and secret: 10 s by default.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest call or answer, in bytes: 16 MiB by default.</summary>
    public int MaxMessage { get; init; } = 16 << 20;

    internal ObjectClientOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero, nameof(ConnectTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessage, 1024, nameof(MaxMessage));
        return this;
    }
}
