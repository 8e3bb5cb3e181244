namespace Skein.Bench.Experiments;

/// <summary>The time from asking for a task that does nothing to having its result, one at a time.</summary>
static class RoundTrip
{
    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(3000);
        return new("round-trip", "no-op round trip, one in flight (p50)", Unit.Microseconds,
        [
            PeerProgram.Python("round-trip", "ppe", "fork", count, "submit().result()"),
            PeerProgram.Python("round-trip", "pool", "fork", count, "apply()"),
            PeerProgram.Node("round-trip", "clone", count, "run(), 2 threads"),
        ],
        [
            new("PPE fork"),
        ]);
    }
}
