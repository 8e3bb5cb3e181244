using System.Diagnostics.Metrics;

namespace Skein;

/// <summary>What shows from outside of sessions: how many live, how many bytes they take, how they end.</summary>
sealed class SessionMeter : IDisposable
{
    public const string Name = "Skein.Servers";

    readonly Meter _meter = new(Name);
    readonly Counter<long> _ended;

    public SessionMeter(string table, Func<long> count, Func<long> bytes)
    {
        var tags = new KeyValuePair<string, object?>[] { new("skein.sessions.table", table) };
        _meter.CreateObservableUpDownCounter("skein.sessions.live", () => new Measurement<long>(count(), tags), "{session}", "Sessions that live now.");
        _meter.CreateObservableUpDownCounter("skein.sessions.size", () => new Measurement<long>(bytes(), tags), "By", "Bytes that live sessions take.");
        _ended = _meter.CreateCounter<long>("skein.sessions.ended", "{session}", "Sessions that have ended, by reason.");
    }

    public void Ended(SessionEnd why) => _ended.Add(1, new KeyValuePair<string, object?>("reason", why.ToString()));

    public void Dispose() => _meter.Dispose();
}
