namespace Skein.Bench.Experiments;

/// <summary>An argument of 1 MB; the worker reads a byte of every page of it and answers the sum. Eight different blocks take turns.</summary>
static class Megabyte
{
    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(200);
        return new("megabyte", "1 MB argument, every page touched, checksum back", Unit.MegabytesPerSecond,
        [
            PeerProgram.Python("megabyte", "ppe", "fork", count, "map(), chunksize 1, bytes"),
            PeerProgram.Node("megabyte", "clone", count, "run() of all, then Promise.all(), 2 threads, Uint8Array cloned"),
            PeerProgram.Node("megabyte", "transfer", count, "run() of all, then Promise.all(), 2 threads, Uint8Array transferred, made before the clock starts"),
        ],
        [
            new("PPE fork"),
        ]);
    }
}
