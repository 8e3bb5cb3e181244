using System.Net;

namespace Skein;

/// <summary>A service of a <see cref="SuperServer"/> as it is now.</summary>
/// <param name="EndPoint">Where it listens, with the port that it got.</param>
/// <param name="Instances">How many connections are served now, or programs run.</param>
/// <param name="ProcessIds">The programs that run, or the workers of its handler.</param>
/// <param name="Started">How many were since the start.</param>
/// <param name="Refused">How many connections were refused.</param>
/// <param name="Failed">How many programs could not be started, or failed.</param>
/// <param name="LastFailure">Why the last of them did; null: none did since one succeeded.</param>
public sealed record ServiceStatus(
    string Name, EndPoint EndPoint, ServiceState State, int Instances, IReadOnlyList<int> ProcessIds, long Started, long Refused, long Failed, string? LastFailure)
{
    /// <summary>The address as it is written in a file: <c>tcp://127.0.0.1:9418</c>.</summary>
    internal string Address { get; init; } = "";

    /// <summary>Since when it is there.</summary>
    internal DateTimeOffset Since { get; init; }
}

/// <summary>What a service does now.</summary>
public enum ServiceState
{
    /// <summary>It waits for services that must be ready before it, or for its own program or workers.</summary>
    Starting,

    /// <summary>Whoever comes is served.</summary>
    Listening,

    /// <summary>As many as may be are served: others wait in the system's queue.</summary>
    Full,

    /// <summary>Its program has the socket and serves who comes.</summary>
    HandedOver,

    /// <summary>The system has no descriptors or processes left; it is tried again in a moment.</summary>
    Exhausted,

    /// <summary>Too many came in too short a time: all are refused for a while.</summary>
    Paused,

    /// <summary>Its program cannot be started, or fails at once: all are refused for a while.</summary>
    Disabled,

    /// <summary>It is no more; what it started may still run.</summary>
    Closed,
}
