using System.Diagnostics;

namespace Skein.Bench.Experiments;

/// <summary>An argument of 1 MB; the worker reads a byte of every page of it and answers the sum. Eight different blocks take turns. What is leased
/// is memory that both sides have: nothing is copied, and the figure is how fast the worker is shown one and reads its pages.</summary>
static class Megabyte
{
    const int Size = 1 << 20, Page = 4096, Contents = 8, Leases = 64;

    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(200);
        return new("megabyte", "1 MB argument, every page touched, checksum back", Unit.MegabytesPerSecond,
        [
            new PoolContender("Skein", "RunAsync of all, then Task.WhenAll; byte[], a fresh one in the worker for each", pool => MeasureAsync(pool, count)),
            new PoolContender("Skein, leased (shared)", "RunAsync of all, then Task.WhenAll; 64 leases, rented and filled before the clock starts", pool => MeasureLeasedAsync(pool, count)),
            new PoolContender("Skein, leased (shared) and filled", "8 at once: Lease.Rent, fill, RunAsync, dispose; all of it by the clock", pool => MeasureFilledAsync(pool, count)),
            PeerProgram.Python("megabyte", "ppe", "fork", count, "map(), chunksize 1, bytes"),
            PeerProgram.Node("megabyte", "clone", count, "run() of all, then Promise.all(), 2 threads, Uint8Array cloned"),
            PeerProgram.Node("megabyte", "transfer", count, "run() of all, then Promise.all(), 2 threads, Uint8Array transferred, made before the clock starts"),
        ],
        [
            new("Skein", "PPE fork") { AtLeast = 3 },
            new("Skein", "piscina"),
            new("Skein, leased (shared)", "piscina transfer") { AtLeast = 1 },
            new("Skein, leased (shared) and filled", "piscina"),
        ]);
    }

    static async Task<double> MeasureAsync(WorkerPool pool, int count)
    {
        var blocks = Enumerable.Range(0, Contents).Select(i =>
        {
            var block = new byte[Size];
            block.AsSpan().Fill(Content(i));
            return block;
        }).ToArray();
        var started = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(i => pool.RunAsync(Checksum, blocks[i % Contents])));
        return Rate(answers, started);
    }

    static async Task<double> MeasureLeasedAsync(WorkerPool pool, int count)
    {
        Lease[] leases = [.. Enumerable.Range(0, Leases).Select(_ => Lease.Rent(Size))];
        for (var i = 0; i < Leases; i++)
            leases[i].Span.Fill(Content(i));
        var started = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(i => pool.RunAsync(ChecksumOfLease, leases[i % Leases])));
        var rate = Rate(answers, started);
        foreach (var lease in leases)
            lease.Dispose();
        return rate;
    }

    static async Task<double> MeasureFilledAsync(WorkerPool pool, int count)
    {
        var answers = new int[count];
        var next = -1;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Contents).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                using var lease = Lease.Rent(Size);
                lease.Span.Fill(Content(i));
                answers[i] = await pool.RunAsync(ChecksumOfLease, lease);
            }
        }));
        return Rate(answers, started);
    }

    static double Rate(int[] answers, long started)
    {
        var took = Stopwatch.GetElapsedTime(started);
        return answers.Select((answer, i) => answer == Content(i) * (Size / Page)).All(right => right)
            ? answers.Length * (double)Size / 1e6 / took.TotalSeconds
            : throw new InvalidDataException("a checksum is wrong");
    }

    static byte Content(int i) => (byte)(i % Contents + 1);

    static int ChecksumOfLease(Lease lease) => Checksum(lease.Span);

    static int Checksum(byte[] block) => Checksum(block.AsSpan());

    static int Checksum(ReadOnlySpan<byte> block)
    {
        var sum = 0;
        for (var i = 0; i < block.Length; i += Page)
            sum += block[i];
        return sum;
    }
}
