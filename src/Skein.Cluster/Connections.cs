using System.Collections.Concurrent;

namespace Skein;

/// <summary>The streams of a node to its peers, while they last.</summary>
sealed class Connections(Peers peers) : IAsyncDisposable
{
    readonly ConcurrentDictionary<Stream, Task> _running = new();
    volatile bool _isClosed;
    long _sent;

    public Peers Peers => peers;

    /// <summary>Over all of them, those that have ended too.</summary>
    public long SentBytes => Interlocked.Read(ref _sent);

    /// <summary>Ends with the stream, which it closes; at once where the node leaves its peers.</summary>
    /// <param name="knownName">Who is at the other end, if that is certain.</param>
    public Task RunAsync(Stream stream, bool isOurs, string? knownName = null)
    {
        var running = StreamConnection.RunAsync(stream, peers, isOurs, knownName, length => Interlocked.Add(ref _sent, length));
        _running[stream] = running;
        if (_isClosed)
            stream.Dispose();   // it was being made while the others were closed
        return running.ContinueWith(_ => _running.TryRemove(stream, out var _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        foreach (var stream in _running.Keys)
            await stream.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_running.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
