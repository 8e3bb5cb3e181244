using System.Text.Json.Serialization;

namespace Skein.Bench.Mobility;

/// <summary>One of many that a process holds: four objects, of some twenty-five bytes each.</summary>
sealed class Parcel
{
    const int Count = 10_000;

    public int Id { get; set; }
    public double Weight { get; set; }
    public string Label { get; set; } = "";
    public Stop From { get; set; } = new();
    public Stop To { get; set; } = new();

    /// <summary>40,000 objects: parcels, their labels and two stops each.</summary>
    public static List<Parcel> Many() =>
    [
        .. Enumerable.Range(0, Count).Select(i => new Parcel
        {
            Id = i,
            Weight = 0.25 * (i % 97) + 0.125,
            Label = $"parcel {i * 7919 % 100_000:00000} to the north",
            From = new() { X = i % 360 - 180, Y = i % 180 - 90, At = 1_760_000_000 + 61L * i },
            To = new() { X = i * 7 % 360 - 180, Y = i * 11 % 180 - 90, At = 1_760_090_000 + 67L * i },
        }),
    ];

    /// <summary>A number that every field takes part in.</summary>
    public static long Checksum(List<Parcel> parcels) =>
        parcels.Aggregate(0L, static (sum, one) => sum * 31 + one.Id + (long)(one.Weight * 8) + one.Label.Length + one.Label[7] + one.From.Sum + 3 * one.To.Sum);
}

sealed class Stop
{
    public int X { get; set; }
    public int Y { get; set; }
    public long At { get; set; }

    [JsonIgnore]
    public long Sum => X + 5 * Y + 7 * At;
}

[JsonSerializable(typeof(List<Parcel>))]
sealed partial class ParcelJson : JsonSerializerContext;
