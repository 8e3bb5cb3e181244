namespace Skein;

/// <summary>How much a <see cref="ReplicaHandler"/> does to hide a replica that is slow, sick or gone.</summary>
public sealed record ReplicaOptions
{
    /// <summary>How many replicas one request is sent to at most, the first included: 3 by default.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>
    /// An idempotent request that is not answered by then is sent to a second replica as well, and the first answer counts. By default
    /// when it takes longer than 95 of 100 others, which the handler measures. <see cref="Timeout.InfiniteTimeSpan"/>: never.
    /// </summary>
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>
    /// How many requests may be sent again because they failed, and how many because they are slow, each as a part of all: 0.2 by default.
    /// A service that fails altogether is not loaded more by its clients' efforts.
    /// </summary>
    public double RetryBudget { get; init; } = 0.2;

    /// <summary>A replica is ejected when so many of its answers in <see cref="EjectionWindow"/> were failures: 0.5 by default, of at least 5.</summary>
    public double EjectionRatio { get; init; } = 0.5;

    /// <summary>10 s by default.</summary>
    public TimeSpan EjectionWindow { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an ejected replica gets nothing, before it is probed: 5 s by default.</summary>
    public TimeSpan EjectionTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A path of the replicas (after that of their addresses) that answers 2xx when they are well, such as <c>/health/ready</c>: an ejected one comes back when it does. By
    /// default one of the ordinary idempotent requests is the probe.
    /// </summary>
    public string? ProbePath { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal ReplicaOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1, nameof(MaxAttempts));
        if (HedgeAfter is { } after && after != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThan(after, TimeSpan.Zero, nameof(HedgeAfter));
        ArgumentOutOfRangeException.ThrowIfNegative(RetryBudget, nameof(RetryBudget));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(EjectionRatio, 0, nameof(EjectionRatio));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(EjectionRatio, 1, nameof(EjectionRatio));
        ArgumentOutOfRangeException.ThrowIfLessThan(EjectionWindow, TimeSpan.FromMilliseconds(500), nameof(EjectionWindow));
        ArgumentOutOfRangeException.ThrowIfLessThan(EjectionTime, TimeSpan.FromMilliseconds(500), nameof(EjectionTime));
        ArgumentNullException.ThrowIfNull(Time, nameof(Time));
        return this;
    }
}
