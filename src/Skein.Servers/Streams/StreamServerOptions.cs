using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>How a <see cref="SkeinServer"/> treats its connections.</summary>
public sealed record StreamServerOptions
{
    /// <summary>The certificate and settings of TLS; null: connections are not encrypted. The handler sees plain bytes.</summary>
    public SslServerAuthenticationOptions? Tls { get; init; }

    /// <summary>How long a client may take to agree on keys before it is disconnected: 10 s by default. Takes no thread.</summary>
    public TimeSpan TlsTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What comes before the handler and needs no thread: it reads a request, and keeps it in the connection's <c>Items</c>. It runs on the thread
    /// that moves the bytes, so it must not block; only when its task has completed a thread is taken, and a client that stops in the middle
    /// of its request holds up nobody. Null: the handler reads itself.
    /// </summary>
    public ConnectionDelegate? Receive { get; init; }

    /// <summary>
    /// Whether clients may end their sending side and still want an answer. By default they may not: the end of their input cancels
    /// <c>ConnectionClosed</c>, since TCP does not tell a client that has left from one that only has nothing more to say. If they may,
    /// only a connection that is broken does.
    /// </summary>
    public bool HalfClose { get; init; }

    /// <summary>How many connections are open at a time; more wait in the system's queue. 10,000 by default.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>How many new connections the system holds until they are accepted: 512 by default; the system may allow less.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>How long connections may go on after the server was asked to stop: 10 s by default.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// On an event loop: a handler that keeps the thread for longer than this is warned about, since all others wait meanwhile. 100 ms by
    /// default.
    /// </summary>
    public TimeSpan BlockedAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a handler may run; then it is interrupted (<see cref="Interruption"/>). It counts anew after <see cref="Interruption.Reset"/>.
    /// Null: as long as it likes.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>A handler that goes on for longer than this after it was interrupted is reported: 2 s by default.</summary>
    public TimeSpan DeafAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How many bytes of a client are received before its handler takes them: 64 KiB by default. TCP urgent data is heard behind so much
    /// input that waits; behind more, only while the handler reads.
    /// </summary>
    public int ReadAhead { get; init; } = 64 * 1024;

    /// <summary>Where warnings go; by default nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal StreamServerOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(TlsTimeout, TimeSpan.Zero, nameof(TlsTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConnections, 1, nameof(MaxConnections));
        ArgumentOutOfRangeException.ThrowIfLessThan(Backlog, 1, nameof(Backlog));
        ArgumentOutOfRangeException.ThrowIfLessThan(Grace, TimeSpan.Zero, nameof(Grace));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(BlockedAfter, TimeSpan.Zero, nameof(BlockedAfter));
        ArgumentOutOfRangeException.ThrowIfLessThan(DeafAfter, TimeSpan.Zero, nameof(DeafAfter));
        ArgumentOutOfRangeException.ThrowIfLessThan(ReadAhead, 4096, nameof(ReadAhead));
        ArgumentNullException.ThrowIfNull(LoggerFactory);
        return this with { Timeout = TimeRange.Limit(Timeout, nameof(Timeout)) };
    }
}
