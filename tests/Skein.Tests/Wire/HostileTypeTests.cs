namespace Skein.Tests;

/// <summary>What a type is made of may be said by numbers: a few bytes can mean a type of a billion parts, or of a thousand levels.</summary>
public class HostileTypeTests
{
    readonly record struct Twice<T>(T One, T Two);

    [Fact]
    public async Task A_type_that_grows_by_references_is_refused_at_once()
    {
        (Type? Definition, int Levels)[] growing =
            [(typeof(Tuple<,>), 30), (typeof(ValueTuple<,>), 30), (typeof(Dictionary<,>), 30), (typeof(Twice<>), 20), (typeof(List<>), 1000), (null, 1000)];
        foreach (var (definition, levels) in growing)
            await Assert.ThrowsAsync<InvalidDataException>(() => Task.Run(() => Decode(Types(definition, levels))).Within());
        foreach (var (definition, _) in growing)
            Assert.Equal(8, Decode(Types(definition, 8)).Length);
    }

    [Fact]
    public void A_type_that_its_reader_would_refuse_is_not_sent()
    {
        var connection = new Connection();
        Assert.Same(Nested(40), connection.Send(Nested(40)));
        Assert.Same(Nested(63), connection.Send(Nested(63)));
        Assert.Throws<CannotTravelException>(() => connection.Send(Nested(64)));   // although most of it has been described before
        Assert.Throws<CannotTravelException>(() => connection.Send(typeof(Twice<Twice<Large>>)));
        Assert.Equal(5, connection.Send<object>(5));

        static Type Nested(int levels) => Enumerable.Range(0, levels).Aggregate(typeof(byte), static (inner, _) => typeof(List<>).MakeGenericType(inner));
    }

    [System.Runtime.CompilerServices.InlineArray(10_000)]
    struct Large
    {
        byte _first;
    }

    static object[] Decode(byte[] message) => GraphCodec.Decode<object[]>(message);

    /// <summary>Types, each made of the one before: by a generic definition that has it as each of its arguments, or as an array.</summary>
    static byte[] Types(Type? definition, int levels)
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.WriteByte(1);   // a new object of the declared class
        writer.WriteNumber((uint)levels);
        for (var level = 0; level < levels; level++)
        {
            writer.WriteByte(2);   // a new object of the class that follows: a type
            writer.WriteType(typeof(Type));
            writer.WriteByte(0);   // which is described, and to be remembered
            writer.WriteByte((byte)(definition is null ? TypeKind.Array : TypeKind.Generic));
            if (definition is not null)
                writer.WriteType(definition);
            var before = 2 + CommonTypes.Count + writer.Session.Types.Count + level - 1;   // the writer knows of the definition only
            for (var argument = 0; argument < (definition?.GetGenericArguments().Length ?? 1); argument++)
            {
                if (level == 0)
                    writer.WriteType(typeof(byte));
                else
                    writer.WriteNumber((uint)before);
            }
        }

        return writer.Written.ToArray();
    }
}
