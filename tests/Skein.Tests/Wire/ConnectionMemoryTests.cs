using System.Buffers;
using System.Reflection;

namespace Skein.Tests;

public class ConnectionMemoryTests
{
    sealed record Order(int Id, string Text);

    [Fact]
    public void A_call_in_a_warm_connection_takes_about_ten_bytes()
    {
        var connection = new Connection();
        for (var i = 0; i < 3; i++)
        {
            var job = connection.Send<Job<int>>(new SyncJob<int, int>(static x => x * 2, 5));
            Assert.IsType<SyncJob<int, int>>(job);
        }
        Assert.InRange(connection.LastLength, 1, 10);
    }

    [Fact]
    public void Messages_before_and_after_code_is_emitted_are_the_same()
    {
        var connection = new Connection();
        connection.Send<object>(new Order(7, "text"));
        connection.Send<object>(new Order(7, "text"));
        var before = connection.LastLength;
        for (var i = 0; i < 3 * FieldSet.HotAfter; i++)
            Assert.Equal(new Order(i, "x"), connection.Send<object>(new Order(i, "x")));
        connection.Send<object>(new Order(7, "text"));
        Assert.Equal(before, connection.LastLength);
    }

    [Fact]
    public void A_connection_remembers_a_bounded_number_of_types()
    {
        var parts = typeof(object).Assembly.GetTypes().Where(t => t is { IsClass: true, IsPublic: true, IsGenericTypeDefinition: false }).Take(140).ToArray();
        var connection = new Connection();
        foreach (var first in parts)
        {
            foreach (var second in parts)
            {
                var type = typeof(Tuple<,>).MakeGenericType(first, second);
                Assert.Same(type, connection.Send(type));
            }
        }
        Assert.Equal(WireLimits.MaxDescriptions, connection.Writer.Session.Types.Count);
        Assert.Equal(new Order(1, "after"), connection.Send<object>(new Order(1, "after")));
    }

    [Fact]
    public void The_buffer_of_a_large_message_is_given_back_after_small_ones()
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.Write(new byte[10_000_000]);
        Assert.InRange(writer.Capacity, 10_000_000, int.MaxValue);
        for (var i = 0; i < 20; i++)
        {
            writer.Begin();
            writer.Write(i);
        }
        Assert.InRange(writer.Capacity, 1, WireLimits.KeptBuffer);
    }

    [Fact]
    public async Task Values_are_encoded_on_many_threads_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            var buffer = new ArrayBufferWriter<byte>();
            for (var i = 0; i < 2000; i++)
            {
                buffer.ResetWrittenCount();
                GraphCodec.Encode((thread, new List<Order> { new(i, "a"), new(thread, "b") }), buffer);
                var (from, orders) = GraphCodec.Decode<(int, List<Order>)>(buffer.WrittenMemory);
                Assert.Equal(thread, from);
                Assert.Equal([new(i, "a"), new(thread, "b")], orders);
            }
        }))).Within(60);
    }

    sealed class Evil
    {
        public override int GetHashCode() => throw new InvalidOperationException("hashed");
        public override bool Equals(object? other) => throw new InvalidOperationException("compared");
    }

    [Fact]
    public void Reading_hashes_no_keys_of_the_application()
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.Write(EvilSet());
        var bytes = writer.Written.ToArray();
        var reader = new GraphReader(new());
        reader.Begin(bytes, 0, bytes.Length);
        reader.Read<HashSet<Evil>>();
        reader.End();
        Assert.True(reader.IsUnfinished);
        Assert.Equal("hashed", Assert.Throws<InvalidOperationException>(reader.Finish).Message);
    }

    /// <summary>A set with the default comparer that was filled under another one.</summary>
    static HashSet<Evil> EvilSet()
    {
        var set = new HashSet<Evil>(ReferenceEqualityComparer.Instance) { new() };
        typeof(HashSet<Evil>).GetField("_comparer", BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(set, EqualityComparer<Evil>.Default);
        return set;
    }
}
