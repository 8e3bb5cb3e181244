using System.Diagnostics;

namespace Skein.Bench.Experiments;

/// <summary>A million integers doubled; chunks as the contenders choose them.</summary>
static class MapInts
{
    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(1_000_000);
        return new("map", $"{count:N0} ints, x => x * 2", Unit.PerSecond,
        [
            new PoolContender("Skein", "MapAsync", pool => MeasureAsync(pool, count)),
            PeerProgram.Python("map", "pool", "fork", count, "map(), its own chunks"),
            PeerProgram.Python("map", "ppe", "fork", count, "map(), chunksize n/8"),
        ],
        [
            new("Skein", "Pool fork") { AtLeast = 3 },
            new("Skein", "PPE fork"),
        ]);
    }

    static async Task<double> MeasureAsync(WorkerPool pool, int count)
    {
        var started = Stopwatch.GetTimestamp();
        long sum = 0, seen = 0;
        await foreach (int twice in pool.MapAsync(Enumerable.Range(0, count), static x => x * 2))
        {
            sum += twice;
            seen++;
        }

        var took = Stopwatch.GetElapsedTime(started);
        return seen == count && sum == (long)count * (count - 1) ? count / took.TotalSeconds : throw new InvalidDataException($"{seen} answers, sum {sum}");
    }
}
