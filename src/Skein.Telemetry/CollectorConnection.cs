using System.Diagnostics.Metrics;

namespace Skein.Telemetry;

/// <summary>
/// The way to the collector. It is not traced, and its requests are not measured: an application that traces its own would be told of requests
/// that it knows nothing of.
/// </summary>
sealed class CollectorConnection(Action<string>? say) : DelegatingHandler(new SocketsHttpHandler { ActivityHeadersPropagator = null, MeterFactory = new OwnMeters() })
{
    int _isFailing;

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Look(request, base.Send(request, cancellationToken));
        }
        catch (Exception error)
        {
            Fails(request, error.Message);
            throw;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Look(request, await base.SendAsync(request, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception error)
        {
            Fails(request, error.Message);
            throw;
        }
    }

    HttpResponseMessage Look(HttpRequestMessage request, HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
            Fails(request, $"it answers {(int)response.StatusCode} {response.ReasonPhrase}");
        else if (Interlocked.Exchange(ref _isFailing, 0) != 0)
            say?.Invoke($"telemetry is sent to {request.RequestUri} again.");
        return response;
    }

    void Fails(HttpRequestMessage request, string why)
    {
        if (Interlocked.Exchange(ref _isFailing, 1) == 0)
            say?.Invoke($"telemetry cannot be sent to {request.RequestUri}: {why}. It is tried on, and requests are served all the same.");
    }

    sealed class OwnMeters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new("Telemetry connection");   // nobody listens to that

        public void Dispose()
        {
        }
    }
}
