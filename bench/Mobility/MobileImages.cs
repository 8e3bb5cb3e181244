using System.Diagnostics;
using System.Text.Json;

namespace Skein.Bench.Mobility;

/// <summary>A process as bytes, and on from there: without the protocol of a move.</summary>
static class MobileImages
{
    const string Json = "System.Text.Json";

    /// <summary>Beside the tasks of "three calls deep, the innermost waits for its turn".</summary>
    public static Experiment Small(Scale scale)
    {
        var (rounds, yields) = (scale.Of(100), scale.Of(500_000));
        return new("mobile-image", "a parked process, three calls deep, is captured and restored", Unit.Nanoseconds,
        [
            new Local("image", "CaptureAsync of 1,000 processes, MobileNode.Restore of each at another node", () => ImagesAsync(rounds)),
            new Local("Task", "three calls and Task.Yield()", () => MobileFunctions.TaskAsync(yields, MobileFunctions.TaskYields)),
        ],
        [
            new("image", "Task") { AtLeast = 1 / 12.0 },
        ]);
    }

    public static Experiment Size(Scale scale) => new("mobile-image-size", "image of a parked process, three calls deep, with a small state", Unit.Bytes,
    [
        new Local("image", "CaptureAsync", async () => (await MobileFunctions.ThreeCalls(new("size"), 7).CaptureAsync()).Length),
    ],
    [
        new("image") { AtMost = 260 },
    ]);

    public static Experiment Large(Scale scale)
    {
        var count = scale.Of(10);
        return new("mobile-graph", "1 MB of 40,000 objects: a process that holds them is captured and restored", Unit.Milliseconds,
        [
            new Local("image", "CaptureAsync, MobileNode.Restore", () => ParcelsAsync(count)),
            new Local(Json, "source-generated, of the same objects: Utf8JsonWriter, Deserialize", () => Task.FromResult(ParcelsInJson(count))),
        ],
        [
            new("image", Json) { AtLeast = 2 },
        ]);
    }

    public static Experiment LargeSize(Scale scale) => new("mobile-graph-size", "1 MB of 40,000 objects: the image", Unit.Bytes,
    [
        new Local("image", "CaptureAsync", async () => (await new MobileNode("size").Start(() => Hold(Parcel.Many())).CaptureAsync()).Length),
        new Local(Json, "source-generated, default options", () => Task.FromResult((double)JsonSerializer.SerializeToUtf8Bytes(Parcel.Many(), ParcelJson.Default.ListParcel).Length)),
    ],
    [
        new("image", Json) { AtLeast = 2 },
    ]);

    static async Task<double> ImagesAsync(int rounds)
    {
        var node = new MobileNode("here");
        var processes = Enumerable.Range(0, 1000).Select(i => MobileFunctions.ThreeCalls(node, i)).ToArray();
        var took = TimeSpan.Zero;
        for (var round = 0; round < rounds; round++)
        {
            var there = new MobileNode("there");
            var started = Stopwatch.GetTimestamp();
            var images = await Task.WhenAll(processes.Select(process => process.CaptureAsync()));
            var restored = Array.ConvertAll(images, there.Restore<int>);
            took += Stopwatch.GetElapsedTime(started);
            if (round == 0)
                await MobileFunctions.EndAsync(restored);
            else
                Array.ForEach(restored, static process => process.Kill());
        }

        await MobileFunctions.EndAsync(processes);
        return took.TotalNanoseconds / (rounds * processes.Length);
    }

    static async Task<double> ParcelsAsync(int count)
    {
        var node = new MobileNode("here");
        var parcels = Parcel.Many();
        var process = node.Start(() => Hold(parcels));
        await process.CaptureAsync();   // it waits
        var started = Stopwatch.GetTimestamp();
        var restored = new MobileProcess<long>[count];
        for (var i = 0; i < count; i++)
            restored[i] = new MobileNode("there").Restore<long>(await process.CaptureAsync());
        var took = Stopwatch.GetElapsedTime(started);
        foreach (var one in restored.Append(process))
        {
            one.Send(true);
            if (await one.Completion != Parcel.Checksum(parcels))
                throw new InvalidDataException("a process lost what it held");
        }

        return took.TotalMilliseconds / count;
    }

    static async Mobile<long> Hold(List<Parcel> parcels)
    {
        await Here.Receive<bool>();
        return Parcel.Checksum(parcels);
    }

    static double ParcelsInJson(int count)
    {
        var parcels = Parcel.Many();
        var started = Stopwatch.GetTimestamp();
        var read = new List<Parcel>[count];
        for (var i = 0; i < count; i++)
            read[i] = JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(parcels, ParcelJson.Default.ListParcel), ParcelJson.Default.ListParcel)!;
        var took = Stopwatch.GetElapsedTime(started);
        if (read.Any(one => Parcel.Checksum(one) != Parcel.Checksum(parcels)))
            throw new InvalidDataException("what was read is not what was written");
        return took.TotalMilliseconds / count;
    }
}
