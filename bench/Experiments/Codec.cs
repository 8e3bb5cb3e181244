using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace Skein.Bench.Experiments;

/// <summary>
/// An order of 50 objects written into a buffer that is used again, and read from it. Every message stands alone: nothing is kept
/// from one to the next (between a pool and its workers type names travel once, so messages there are shorter).
/// </summary>
static class Codec
{
    const string Json = "System.Text.Json";

    public static Experiment Time(Scale scale)
    {
        var count = scale.Of(50_000);
        return new("codec", "graph of 50 objects, write + read", Unit.Microseconds,
        [
            new Local("Skein", "GraphCodec.Encode, Decode", () => Task.FromResult(RoundTrips(count, WriteGraph, ReadGraph))),
            new Local(Json, "source-generated, Utf8JsonWriter, Deserialize", () => Task.FromResult(RoundTrips(count, WriteJson, ReadJson))),
        ],
        [
            new("Skein", Json) { AtLeast = 2 },
        ]);
    }

    public static Experiment Size(Scale scale) => new("codec-size", "graph of 50 objects, its message", Unit.Bytes,
    [
        new Local("Skein", "GraphCodec.Encode", () => Task.FromResult(Written(WriteGraph))),
        new Local(Json, "source-generated, default options", () => Task.FromResult(Written(WriteJson))),
    ],
    [
        new("Skein", Json) { AtLeast = 2 },
    ]);

    /// <summary>Microseconds for one.</summary>
    static double RoundTrips(int count, Action<Order, ArrayBufferWriter<byte>> write, Func<ReadOnlyMemory<byte>, Order> read)
    {
        var order = Order.Example();
        var expected = order.Checksum();
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            order.Id = i;
            buffer.ResetWrittenCount();
            write(order, buffer);
            var copy = read(buffer.WrittenMemory);
            if (copy.Id != i || (i % 1000 == 0 && copy.Checksum() != order.Checksum()))
                throw new InvalidDataException("what was read is not what was written");
        }

        var took = Stopwatch.GetElapsedTime(started);
        order.Id = Order.Example().Id;
        return order.Checksum() == expected ? took.TotalMicroseconds / count : throw new InvalidDataException("writing changed the order");
    }

    static double Written(Action<Order, ArrayBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(Order.Example(), buffer);
        return buffer.WrittenCount;
    }

    static void WriteGraph(Order order, ArrayBufferWriter<byte> buffer) => GraphCodec.Encode(order, buffer);

    static Order ReadGraph(ReadOnlyMemory<byte> bytes) => GraphCodec.Decode<Order>(bytes);

    static void WriteJson(Order order, ArrayBufferWriter<byte> buffer)
    {
        using var writer = new Utf8JsonWriter(buffer);
        JsonSerializer.Serialize(writer, order, OrderJson.Default.Order);
    }

    static Order ReadJson(ReadOnlyMemory<byte> bytes) => JsonSerializer.Deserialize(bytes.Span, OrderJson.Default.Order)!;
}
