namespace Skein.Bench.Experiments;

/// <summary>A million integers doubled; chunks as the contenders choose them.</summary>
static class MapInts
{
    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(1_000_000);
        return new("map", $"{count:N0} ints, x => x * 2", Unit.PerSecond,
        [
            PeerProgram.Python("map", "ppe", "fork", count, "map(), chunksize n/8"),
            PeerProgram.Python("map", "pool", "fork", count, "map(), its own chunks"),
        ],
        [
            new("PPE fork"),
        ]);
    }
}
