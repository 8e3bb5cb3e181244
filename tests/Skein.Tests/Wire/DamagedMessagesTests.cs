using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;

namespace Skein.Tests;

/// <summary>
/// Whatever the bytes are, the reader refuses them or makes objects that can be written again. The seed is printed with a failure;
/// <c>SKEIN_TEST_SEED</c> repeats it.
/// </summary>
public class DamagedMessagesTests(ITestOutputHelper output)
{
    sealed record Node(string Name, int[] Numbers, Node? Next)
    {
        public Node? Self { get; set; }
        public object? Extra { get; set; }
        public DateTime When { get; init; } = new(2026, 1, 1);
        public decimal? Price { get; init; } = 1.5m;
    }

    struct Pair(object first, long second)
    {
        public object First = first;
        public long Second = second;
        public (string, Guid)? Third = ("x", Guid.Empty);
    }

    static Node Small()
    {
        var node = new Node("name", [1, 2, 3], new("other", [], null));
        node.Self = node;
        node.Extra = new List<object> { 1, "text", node };
        return node;
    }

    static object[] Rich()
    {
        var captured = 5;
        Func<int, int> function = x => x + captured;
        var words = new List<string> { "one", "two", "three" };
        var enumerator = words.Where(static w => w.Length > 2).Select(w => w + captured).GetEnumerator();
        enumerator.MoveNext();
        var table = words.ToDictionary(w => w, w => w.Length, StringComparer.OrdinalIgnoreCase);
        return
        [
            Small(), function, function + (x => x * captured), (Func<int, int>)(static x => x), enumerator, table, table.GetEnumerator(), new HashSet<int> { 1, 2 },
            new Dictionary<Node, int> { [new("key", [], null)] = 1 }, new Pair("a", 5), new[] { new Pair(1, 1), new Pair(2, 2) }, new Queue<int>([1, 2]),
            new SortedSet<string>(words), new PriorityQueue<string, int>([("a", 1)]), new LinkedList<int>([1, 2]), new ConcurrentDictionary<int, string> { [1] = "x" },
            words.ToImmutableDictionary(w => w, w => 1), words.ToImmutableList(), words.ToFrozenSet(), new[] { new Node("f", [], null) }.ToFrozenSet(),
            new int[2, 3], new decimal[] { 1, 2 }, new DateTime[] { DateTime.UnixEpoch }, new bool[] { true }, "text".AsMemory(1, 2), new ArraySegment<int>([1, 2, 3], 1, 1),
            new Random(5), new BigInteger(1e30), new Uri("http://x"), new Version(1, 2), CultureInfo.InvariantCulture, typeof(Dictionary<,>), typeof(List<Node>),
            Task.FromResult("x"), new InvalidOperationException("x", new ArgumentException("y")), new Lazy<int>(5), Tuple.Create(1, "x"), new System.Collections.BitArray(9, true),
            DateTimeOffset.UnixEpoch, new TimeOnly(1, 2), new DateOnly(2026, 1, 2), Int128.MaxValue, new { Name = "anonymous", Count = 3 }, new System.Text.StringBuilder("b"),
            Comparer<int>.Default, DayOfWeek.Friday, 'c', 1.5, (byte)1, new string('\u4f60', 5),
        ];
    }

    [Fact]
    public void A_count_that_the_message_cannot_have_costs_no_memory()
    {
        object[] counted = [new long[5], new List<int> { 1, 2, 3 }, new string('x', 5), new Dictionary<int, int> { [1] = 2 }, new byte[7], new HashSet<int> { 1, 2 }, new string?[] { null, null }];
        byte[] million200 = [0x80, 0x84, 0xAF, 0x5F];   // 200,000,000 as a number of the codec
        foreach (var value in counted)
        {
            var message = Encode(value);
            Assert.Equal(value, Decode(message));   // what the codec needs once, it has then
            for (var position = 0; position < message.Length; position++)
            {
                byte[] damaged = [.. message.AsSpan(0, position), .. million200, .. message.AsSpan(position + 1)];
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    Decode(damaged);
                }
                catch (InvalidDataException)
                {
                    // as it should be
                }

                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
            }
        }
    }

    [Fact]
    public void Arrays_that_each_count_on_the_same_bytes_cost_no_memory()
    {
        const int Arrays = 2000, Length = 50_000;
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.WriteByte(1);   // a new object of the declared class
        writer.WriteNumber(Arrays);
        for (var i = 0; i < Arrays; i++)
        {
            writer.WriteByte(2);   // a new object of the class that follows
            writer.WriteType(typeof(byte[]));
            writer.WriteNumber(Length);
        }
        byte[] message = [.. writer.Written.Span, .. new byte[Length]];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => GraphCodec.Decode<object[]>(message));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
    }

    static byte[] Encode(object value)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        GraphCodec.Encode(value, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    static object Decode(byte[] message) => GraphCodec.Decode<object>(message);

    [Fact]
    public void A_damaged_message_is_refused_or_makes_objects_that_travel_on()
    {
        var count = Limits.Long ? 1_000_000 : 20_000;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("SKEIN_TEST_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        output.WriteLine($"SKEIN_TEST_SEED={seed}");
        var random = new Random(seed);
        byte[][] originals = [Write(Small()), Write(Rich()), .. Rich().Select(Write)];
        var (accepted, refused) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            var original = originals[random.Next(4) switch { 0 => 0, 1 => 1, _ => random.Next(originals.Length) }];
            var damaged = Damage(original, random);
            try
            {
                var reader = new GraphReader(new());
                reader.Begin(damaged, 0, damaged.Length);
                var value = reader.Read<object>();
                reader.End();
                accepted++;
                if (!reader.IsUnfinished)   // finishing is the application's code, and may do anything
                    Write(value);
            }
            catch (Exception e) when (e is InvalidDataException or ModuleVersionException)
            {
                refused++;
            }
            catch (CannotTravelException)
            {
                // made of parts that only travel as they were, such as a structure that was pointed elsewhere
            }
            catch (Exception e)
            {
                Assert.Fail($"message {i} of SKEIN_TEST_SEED={seed}: {e}");
            }
        }
        output.WriteLine($"{refused} refused, {accepted} accepted");
        Assert.InRange(refused, count / 10, count);
        Assert.InRange(accepted, 1, count);
    }

    [Fact]
    public void Every_beginning_of_a_message_is_refused()
    {
        var whole = Write(Rich());
        for (var length = 0; length < whole.Length; length++)
        {
            var reader = new GraphReader(new());
            reader.Begin(whole, 0, length);
            Assert.Throws<InvalidDataException>(() => reader.Read<object>());
        }
    }

    static byte[] Write(object? value)
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.Write(value);
        return writer.Written.ToArray();
    }

    static byte[] Damage(byte[] original, Random random)
    {
        var bytes = new List<byte>(original);
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = (byte)random.Next(6); break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(1, 5), bytes.Count - at)); break;
                case 4: bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 9)).Select(_ => (byte)random.Next(256))); break;
                case 5: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count), 1)); break;
                default: bytes[at] = bytes[random.Next(bytes.Count)]; break;
            }
        }
        return [.. bytes];
    }
}
