using System.Diagnostics;

namespace Skein.Bench.Experiments;

/// <summary>The time from asking for a task that does nothing to having its result, one at a time.</summary>
static class RoundTrip
{
    /// <summary>One after the other: the next is asked for as soon as the last is there.</summary>
    public static Experiment Busy(Scale scale)
    {
        var count = scale.Of(3000);
        return new("round-trip", "no-op round trip, one in flight (p50)", Unit.Microseconds,
        [
            new PoolContender("Skein", "RunAsync, awaited", pool => MeasureAsync(pool, count, TimeSpan.Zero)),
            PeerProgram.Python("round-trip", "ppe", "fork", count, "submit().result()"),
            PeerProgram.Python("round-trip", "pool", "fork", count, "apply()"),
            PeerProgram.Node("round-trip", "clone", count, "run(), 2 threads"),
        ],
        [
            new("Skein", "PPE fork") { AtLeast = 20 },
            new("Skein", "Pool fork"),
            new("Skein", "piscina"),
        ]);
    }

    /// <summary>Two milliseconds of rest before each: nobody looks for work any more, everybody has to be woken.</summary>
    public static Experiment Rested(Scale scale)
    {
        var count = scale.Of(300);
        return new("round-trip-rested", "no-op round trip after 2 ms of rest, so that it blocks (p50)", Unit.Microseconds,
        [
            new PoolContender("Skein", "RunAsync, awaited", pool => MeasureAsync(pool, count, TimeSpan.FromMilliseconds(2))),
            PeerProgram.Python("round-trip-rested", "ppe", "fork", count, "submit().result()"),
            PeerProgram.Python("round-trip-rested", "pool", "fork", count, "apply()"),
            PeerProgram.Node("round-trip-rested", "clone", count, "run(), 2 threads"),
        ],
        [
            new("Skein", "PPE fork") { AtLeast = 3 },
            new("Skein", "Pool fork"),
            new("Skein", "piscina"),
        ]);
    }

    static async Task<double> MeasureAsync(WorkerPool pool, int count, TimeSpan rest)
    {
        var times = new long[count];
        for (var i = 0; i < count; i++)
        {
            if (rest > TimeSpan.Zero)
                Thread.Sleep(rest);
            var started = Stopwatch.GetTimestamp();
            var answer = await pool.RunAsync(static x => x, i);
            times[i] = Stopwatch.GetTimestamp() - started;
            if (answer != i)
                throw new InvalidDataException($"{i} came back as {answer}");
        }

        Array.Sort(times);
        return new TimeSpan(times[count / 2]).TotalMicroseconds * TimeSpan.TicksPerSecond / Stopwatch.Frequency;
    }
}
