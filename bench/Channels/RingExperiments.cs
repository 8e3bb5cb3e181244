using System.Runtime.Versioning;

namespace Skein.Bench.Channels;

/// <summary>The ring of the SharedMemory channel beside the same ring in C.</summary>
[SupportedOSPlatform("linux")]
static class RingExperiments
{
    public static Experiment Latency(Scale scale)
    {
        var count = scale.Of(200_000);
        return new("ring-latency", "64 bytes there and back through shared memory, spinning (p50)", Unit.Nanoseconds,
            [new RingContender(latency: true, count), RingInC.Create("latency", count)],
            [new("SharedRing", "ring in C") { AtLeast = 1 / 1.25 }]);
    }

    public static Experiment Throughput(Scale scale)
    {
        var count = scale.Of(500_000);
        return new("ring-throughput", "4 KB messages one way through shared memory", Unit.MegabytesPerSecond,
            [new RingContender(latency: false, count), RingInC.Create("throughput", count)],
            [new("SharedRing", "ring in C") { AtLeast = 0.9 }]);
    }
}
