using System.Net;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Where the connections of a <see cref="SkeinServer"/> are served.</summary>
[SupportedOSPlatform("linux")]
abstract class StreamServing : IAsyncDisposable
{
    /// <summary>Where it listens, with the port that it got.</summary>
    public abstract EndPoint EndPoint { get; }

    /// <summary>In order of arrival.</summary>
    public abstract IReadOnlyList<ConnectionStatus> Connections { get; }

    public abstract StreamCounts Counts { get; }

    public abstract bool TryCancel(CancelKey key);

    /// <param name="grace">Null: as the options say. The first call counts.</param>
    public abstract Task StopAsync(TimeSpan? grace);

    public async ValueTask DisposeAsync() => await StopAsync(null).ConfigureAwait(false);
}

/// <summary>How many connections were accepted, how many of them refused, and how many handlers have failed.</summary>
readonly record struct StreamCounts(long Accepted, long Refused, long Failed)
{
    public static StreamCounts operator +(StreamCounts one, StreamCounts other) =>
        new(one.Accepted + other.Accepted, one.Refused + other.Refused, one.Failed + other.Failed);
}
