namespace Skein;

/// <summary>
/// TCP Vegas (Brakmo and Peterson, 1994), for requests as in Netflix' concurrency-limits: what requests take beyond what they take at the
/// least says how many of them wait somewhere behind the server, and a few of those are enough to keep it busy.
/// </summary>
/// <remarks>
/// The least is measured anew now and then, with half the limit for a moment (as in BBR): a server that began under too much load, or whose
/// work has changed, would go by a wrong one for ever.
/// </remarks>
sealed class VegasLimit(AdaptiveLimit options)
{
    const int WindowsBetweenProbes = 100;
    const int ProbeWindows = 2;   // in the first, requests end that began before

    double _limit = options.Initial, _least = double.MaxValue;
    int _windows;

    bool IsProbing => _windows % WindowsBetweenProbes >= WindowsBetweenProbes - ProbeWindows;

    public int Limit => (int)(IsProbing ? Math.Max(options.Least, _limit / 2) : _limit);

    /// <summary>One window has passed.</summary>
    /// <param name="length">What requests took in it on average.</param>
    /// <param name="inFlight">How many there were at a time, at most.</param>
    public void Update(double length, int inFlight)
    {
        var (wasProbing, limit) = (IsProbing, Limit);
        _windows++;
        if (wasProbing)
        {
            if (!IsProbing)
                _least = length;
            return;
        }

        _least = Math.Min(_least, length);
        if (inFlight < limit / 2)
            return;   // so few that they say nothing about the limit
        var step = Math.Max(1, Math.Log10(_limit));
        var waiting = _limit * (1 - _least / length);
        if (waiting > _limit / 2)
            _limit /= 2;   // as after a loss: small steps would take too long
        else if (waiting > 6 * step)
            _limit -= step;
        else if (waiting <= step)
            _limit += 6 * step;
        else if (waiting < 3 * step)
            _limit += step;
        _limit = Math.Clamp(_limit, options.Least, options.Most);
    }
}
