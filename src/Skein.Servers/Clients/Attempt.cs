using Polly;
using Polly.CircuitBreaker;

namespace Skein;

/// <summary>A request on its way to one replica.</summary>
sealed class Attempt
{
    readonly CancellationTokenSource _cancellation;
    readonly TimeProvider _time;
    readonly long _started;
    bool _isOvertaken;

    public Attempt(
        Replica replica, HttpRequestMessage request, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, bool isLastResort,
        TimeProvider time, CancellationToken cancellation)
    {
        (_time, _started) = (time, time.GetTimestamp());
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Answer = replica.SendAsync(token => SendAsync(send, request, token), isLastResort, _cancellation.Token);
        _ = Answer.ContinueWith(static (_, me) => ((Attempt)me!).Ended(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public Task<HttpResponseMessage> Answer { get; }

    /// <summary>It has ended with what the replica said, whatever that is.</summary>
    public bool IsAnswer => Answer.IsCompletedSuccessfully;

    public TimeSpan Elapsed { get; private set; }

    /// <summary>No byte of it has left: there was no connection, or the replica had just been ejected.</summary>
    public bool WasNotSent => Answer.Exception?.InnerException is BrokenCircuitException
        or HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };

    /// <summary>There is an answer that its client is to have; a client that wants none any more has its own.</summary>
    public bool Succeeded(CancellationToken cancellation) =>
        (Answer.IsCompletedSuccessfully && !Replica.IsSick(Answer.GetAwaiter().GetResult().StatusCode)) || (cancellation.IsCancellationRequested && !Answer.IsCompletedSuccessfully);

    /// <summary>The replica has done what it was asked for.</summary>
    public bool IsWell => Answer.IsCompletedSuccessfully && !Replica.IsSick(Outcome.FromResult(Answer.GetAwaiter().GetResult()));

    /// <summary>Another one was first. That counts against this one's replica where the other is well: to fail fast, or to have no client, is no merit.</summary>
    public void Overtake(bool counts)
    {
        Volatile.Write(ref _isOvertaken, counts);
        try
        {
            _ = _cancellation.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }

        Discard();
    }

    /// <summary>Nobody wants what comes of it.</summary>
    public void Discard() => _ = Answer.ContinueWith(
        static answer =>
        {
            if (answer.IsCompletedSuccessfully)
                answer.GetAwaiter().GetResult().Dispose();
            else
                _ = answer.Exception;   // seen
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            return await send(request, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Volatile.Read(ref _isOvertaken))
        {
            throw new OvertakenException();
        }
    }

    void Ended()
    {
        Elapsed = _time.GetElapsedTime(_started);
        _cancellation.Dispose();
    }
}
