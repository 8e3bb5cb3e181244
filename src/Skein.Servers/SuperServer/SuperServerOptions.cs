using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>How a <see cref="SuperServer"/> works.</summary>
public sealed record SuperServerOptions
{
    /// <summary>How many new connections the system holds for each service until they are accepted: 512 by default; the system may allow less.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>How long connections may go on after the server was asked to stop: 10 s by default.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a service may take to become ready before the start is given up: 1 min by default.</summary>
    public TimeSpan ReadyTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Where warnings go; by default nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock of rates and pauses.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal SuperServerOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Backlog, 1, nameof(Backlog));
        ArgumentOutOfRangeException.ThrowIfLessThan(Grace, TimeSpan.Zero, nameof(Grace));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ReadyTimeout, TimeSpan.Zero, nameof(ReadyTimeout));
        ArgumentNullException.ThrowIfNull(LoggerFactory);
        ArgumentNullException.ThrowIfNull(TimeProvider);
        return this;
    }
}
