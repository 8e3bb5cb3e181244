using System.Reflection;

namespace Skein;

/// <summary>Comparers of the framework, which are found again by what they are.</summary>
sealed class ComparerCodec : Codec
{
    enum Kind : byte { Ordinal, OrdinalIgnoreCase, Invariant, InvariantIgnoreCase, Reference, Equality, Order }

    static readonly object[] Named =
    [
        StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase, StringComparer.InvariantCulture, StringComparer.InvariantCultureIgnoreCase,
        ReferenceEqualityComparer.Instance,
    ];

    public ComparerCodec(Type type) : base(type)
    {
        HasBody = false;
        WireType = typeof(StringComparer);
    }

    public static bool IsWellKnown(Type type) =>
        type.IsAssignableTo(typeof(StringComparer)) || type == typeof(ReferenceEqualityComparer)
        || Base(type, typeof(EqualityComparer<>)) is not null
        || (Base(type, typeof(Comparer<>)) is not null && !type.Name.StartsWith("ComparisonComparer", StringComparison.Ordinal) && !TypePolicy.IsListed(type));

    public override void WriteHead(GraphWriter writer, object value)
    {
        var named = Array.FindIndex(Named, value.Equals);
        if (named >= 0)
        {
            writer.WriteByte((byte)named);
            return;
        }
        foreach (var definition in (Type[])[typeof(EqualityComparer<>), typeof(Comparer<>)])
        {
            if (Base(value.GetType(), definition) is { } type && ReferenceEquals(Default(type), value))
            {
                writer.WriteByte((byte)(definition == typeof(Comparer<>) ? Kind.Order : Kind.Equality));
                writer.WriteType(type.GetGenericArguments()[0]);
                return;
            }
        }
        throw new Refusal(value, Type, $"{SourceNames.Of(Type)} is a comparer that cannot be named elsewhere; use an ordinal, invariant or default one, or a class of your own");
    }

    public override object ReadHead(GraphReader reader)
    {
        var kind = (Kind)reader.ReadByte();
        if ((int)kind < Named.Length)
            return Named[(int)kind];
        if (kind > Kind.Order)
            throw GraphReader.Bad("an unknown comparer");
        return Default((kind == Kind.Order ? typeof(Comparer<>) : typeof(EqualityComparer<>)).MakeGenericType(reader.ReadType()))!;
    }

    static object? Default(Type type) => type.GetProperty("Default", BindingFlags.Static | BindingFlags.Public)!.GetValue(null);

    static Type? Base(Type type, Type definition)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (at.IsGenericType && at.GetGenericTypeDefinition() == definition)
                return at;
        }
        return null;
    }
}
