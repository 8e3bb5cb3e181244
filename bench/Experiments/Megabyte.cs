using System.Diagnostics;

namespace Skein.Bench.Experiments;

/// <summary>An argument of 1 MB; the worker reads a byte of every page of it and answers the sum. Eight different blocks take turns.</summary>
static class Megabyte
{
    const int Size = 1 << 20, Page = 4096;

    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(200);
        return new("megabyte", "1 MB argument, every page touched, checksum back", Unit.MegabytesPerSecond,
        [
            new PoolContender("Skein", "RunAsync of all, then Task.WhenAll; byte[], a fresh one in the worker for each", pool => MeasureAsync(pool, count)),
            PeerProgram.Python("megabyte", "ppe", "fork", count, "map(), chunksize 1, bytes"),
            PeerProgram.Node("megabyte", "clone", count, "run() of all, then Promise.all(), 2 threads, Uint8Array cloned"),
            PeerProgram.Node("megabyte", "transfer", count, "run() of all, then Promise.all(), 2 threads, Uint8Array transferred, made before the clock starts"),
        ],
        [
            new("Skein", "PPE fork") { AtLeast = 3 },
            new("Skein", "piscina"),
            new("Skein", "piscina transfer"),
        ]);
    }

    static async Task<double> MeasureAsync(WorkerPool pool, int count)
    {
        var blocks = Enumerable.Range(1, 8).Select(value =>
        {
            var block = new byte[Size];
            block.AsSpan().Fill((byte)value);
            return block;
        }).ToArray();
        var started = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(i => pool.RunAsync(Checksum, blocks[i % 8])));
        var took = Stopwatch.GetElapsedTime(started);
        return answers.Select((answer, i) => answer == (i % 8 + 1) * (Size / Page)).All(right => right)
            ? count * (double)Size / 1e6 / took.TotalSeconds
            : throw new InvalidDataException("a checksum is wrong");
    }

    static int Checksum(byte[] block)
    {
        var sum = 0;
        for (var i = 0; i < block.Length; i += Page)
            sum += block[i];
        return sum;
    }
}
