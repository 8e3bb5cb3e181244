using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>What a worker has served so far.</summary>
sealed class RequestCounts
{
    long _connections, _hubs, _active, _requests, _failed, _ticks;

    public long Connections => Interlocked.Read(ref _connections);

    public void ConnectionBegins() => Interlocked.Increment(ref _connections);

    public void ConnectionEnds() => Interlocked.Decrement(ref _connections);

    /// <summary>Connections of SignalR that are open, circuits of Blazor among them: each is a request that lasts.</summary>
    public long Hubs => Interlocked.Read(ref _hubs);

    public async Task InHubAsync(Task request)
    {
        Interlocked.Increment(ref _hubs);
        try
        {
            await request.ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _hubs);
        }
    }

    /// <summary>The moment, for <see cref="RequestEnds"/>.</summary>
    public long RequestBegins()
    {
        Interlocked.Increment(ref _active);
        return TimeProvider.System.GetTimestamp();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RequestEnds(long began, bool failed)
    {
        Interlocked.Decrement(ref _active);
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _ticks, TimeProvider.System.GetElapsedTime(began).Ticks);
        if (failed)
            Interlocked.Increment(ref _failed);
    }

    public ServedBeat Beat(TimeSpan poolDelay, TimeSpan stall) => new(
        Interlocked.Read(ref _requests),
        Interlocked.Read(ref _failed),
        Interlocked.Read(ref _active),
        Connections,
        GC.GetTotalMemory(forceFullCollection: false),
        (long)poolDelay.TotalMilliseconds,
        (long)stall.TotalMilliseconds,
        Interlocked.Read(ref _ticks) / TimeSpan.TicksPerMicrosecond);
}
