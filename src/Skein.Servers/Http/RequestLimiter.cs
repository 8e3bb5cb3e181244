using System.Diagnostics.Metrics;

namespace Skein;

/// <summary>Counts the requests that a server has taken on, measures how long they take, and lets in as many as that allows.</summary>
sealed class RequestLimiter : IDisposable
{
    const int LeastSamples = 10;   // fewer say nothing about an average
    static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    readonly Lock _gate = new();
    readonly VegasLimit _limit;
    readonly TimeProvider _time;
    readonly Meter _meter = new("Skein");
    int _inFlight, _most, _samples;
    long _began;
    double _total;

    public RequestLimiter(AdaptiveLimit options, TimeProvider time)
    {
        (_limit, _time, _began) = (new(options), time, time.GetTimestamp());
        _meter.CreateObservableGauge("skein.server.limit", () => Limit, "{request}", "How many requests are taken on at a time.");
        _meter.CreateObservableGauge("skein.server.requests", () => InFlight, "{request}", "Requests that are taken on, running or waiting.");
    }

    public int Limit
    {
        get
        {
            lock (_gate)
                return _limit.Limit;
        }
    }

    public int InFlight
    {
        get
        {
            lock (_gate)
                return _inFlight;
        }
    }

    /// <summary>Takes a request on. False: there are as many as there may be.</summary>
    public bool TryEnter(out long since)
    {
        since = _time.GetTimestamp();
        lock (_gate)
        {
            if (_inFlight >= _limit.Limit)
                return false;
            _most = Math.Max(_most, ++_inFlight);
            return true;
        }
    }

    /// <summary>A request is over.</summary>
    /// <param name="since">What <see cref="TryEnter"/> gave.</param>
    /// <param name="counts">It was served, so what it took says something.</param>
    public void Leave(long since, bool counts)
    {
        var now = _time.GetTimestamp();
        lock (_gate)
        {
            _inFlight--;
            if (!counts)
                return;
            _samples++;
            _total += _time.GetElapsedTime(since, now).TotalMicroseconds;
            if (_samples < LeastSamples || _time.GetElapsedTime(_began, now) < Window)
                return;
            _limit.Update(Math.Max(_total / _samples, 1), _most);
            (_began, _samples, _total, _most) = (now, 0, 0, _inFlight);
        }
    }

    public void Dispose() => _meter.Dispose();
}
