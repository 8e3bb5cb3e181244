using System.Net;
using Polly;
using Polly.CircuitBreaker;

namespace Skein;

/// <summary>One replica as its client sees it: what is under way to it, and whether it is well.</summary>
sealed class Replica
{
    const int Enough = 5;   // fewer answers say nothing

    // One that refuses connections fails at once, so it always seems to have the least to do: it must go long before half of its answers
    // in ten seconds were failures.
    const int InARow = 3;

    readonly ResiliencePipeline<HttpResponseMessage> _breaker;
    readonly CircuitBreakerStateProvider _state = new();
    readonly CircuitBreakerManualControl _control = new();
    readonly ReplicaOptions _options;
    int _outstanding, _failures;
    long _ejected;

    public Replica(Uri address, ReplicaOptions options)
    {
        (Address, _options) = (address, options);
        _breaker = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = options.Time }
            .AddCircuitBreaker(new()
            {
                FailureRatio = options.EjectionRatio,
                MinimumThroughput = Enough,
                SamplingDuration = options.EjectionWindow,
                BreakDuration = options.EjectionTime,
                ShouldHandle = static outcome => ValueTask.FromResult(IsSick(outcome.Outcome)),
                StateProvider = _state,
                ManualControl = _control,
                OnOpened = _ =>
                {
                    Volatile.Write(ref _ejected, options.Time.GetTimestamp());
                    return default;
                },
            })
            .Build();
    }

    public Uri Address { get; }

    /// <summary>Where it has what a request asks for: the path of its own address comes before the request's.</summary>
    public Uri At(Uri request)
    {
        var path = new Uri(new Uri(Address, "/"), request).PathAndQuery;
        return new(Address.GetLeftPart(UriPartial.Path).TrimEnd('/') + path);   // as text: one that begins with two slashes would else be resolved to another host
    }

    public int Outstanding => Volatile.Read(ref _outstanding);

    /// <summary>In a row, up to now.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public bool IsEjected => _state.CircuitState != CircuitState.Closed;

    /// <summary>True once when it has been ejected for long enough: one request finds out whether it is well again.</summary>
    public bool TryProbe()
    {
        var ejected = Volatile.Read(ref _ejected);
        return _state.CircuitState is CircuitState.Open or CircuitState.Isolated
            && _options.Time.GetElapsedTime(ejected) >= _options.EjectionTime
            && Interlocked.CompareExchange(ref _ejected, _options.Time.GetTimestamp(), ejected) == ejected;
    }

    /// <summary>It answers again.</summary>
    public Task ReturnAsync()
    {
        Volatile.Write(ref _failures, 0);
        return _control.CloseAsync();
    }

    /// <summary>Counts what comes of it.</summary>
    /// <param name="send">Sends the request.</param>
    /// <param name="isLastResort">All are ejected, so that nobody is.</param>
    public async Task<HttpResponseMessage> SendAsync(Func<CancellationToken, Task<HttpResponseMessage>> send, bool isLastResort, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _outstanding);
        try
        {
            var response = _state.CircuitState == CircuitState.Isolated || (isLastResort && IsEjected)
                ? await send(cancellation).ConfigureAwait(false)
                : await _breaker.ExecuteAsync(static (send, token) => new ValueTask<HttpResponseMessage>(send(token)), send, cancellation).ConfigureAwait(false);
            await NoteAsync(IsSick(Outcome.FromResult(response))).ConfigureAwait(false);
            return response;
        }
        catch (Exception error) when (IsSick(Outcome.FromException<HttpResponseMessage>(error)))
        {
            await NoteAsync(isFailure: true).ConfigureAwait(false);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _outstanding);
        }
    }

    ValueTask NoteAsync(bool isFailure)
    {
        if (isFailure)
        {
            if (Interlocked.Increment(ref _failures) < InARow || _state.CircuitState != CircuitState.Closed)
                return default;
            Volatile.Write(ref _ejected, _options.Time.GetTimestamp());
            return new(_control.IsolateAsync());
        }

        Volatile.Write(ref _failures, 0);
        return _state.CircuitState == CircuitState.Isolated ? new(ReturnAsync()) : default;   // what the breaker has counted stays
    }

    public static bool IsSick(HttpStatusCode code) => code is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    // One that another replica has overtaken counts as well: it was slower than nearly all others.
    public static bool IsSick(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Exception: HttpRequestException or OvertakenException or IOException } => true,
        { Result: { } response } => IsSick(response.StatusCode) || response.StatusCode == HttpStatusCode.InternalServerError,
        _ => false,
    };
}

/// <summary>Another replica has answered the same request first.</summary>
sealed class OvertakenException : Exception;
