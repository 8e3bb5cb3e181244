using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>One place that says how each struct travels.</summary>
static class ValueCodecChoice
{
    public static ValueCodec<T> Make<T>()
    {
        var type = typeof(T);
        return (ValueCodec<T>)(Surrogate.For(type) is { } surrogate ? new SurrogateValueCodec<T>(surrogate) : Special(type) ?? General<T>(type));
    }

    static object General<T>(Type type)
    {
        if (IsBits(type))
            return new BlockCodec<T>();
        return TypePolicy.WhyNot(type) is { } reason ? new RefusedValueCodec<T>(reason) : new FieldwiseValueCodec<T>();
    }

    static object? Special(Type type)
    {
        if (type == typeof(bool))
            return new BooleanCodec();
        if (type == typeof(decimal))
            return new DecimalCodec();
        if (type == typeof(DateTime))
            return new DateTimeCodec();
        if (type == typeof(DateTimeOffset))
            return new DateTimeOffsetCodec();
        if (type == typeof(DateOnly))
            return new DateOnlyCodec();
        if (type == typeof(TimeOnly))
            return new TimeOnlyCodec();
        if (HoldsEqualElements(type) && !IsBits(type))
        {
            var element = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)[0].FieldType;
            return Activator.CreateInstance(typeof(InlineArrayCodec<,>).MakeGenericType(type, element));
        }
        if (!type.IsGenericType || !TypePolicy.IsFramework(type.Assembly))
            return null;
        var codec = type.GetGenericTypeDefinition().FullName switch
        {
            "System.Nullable`1" => typeof(NullableCodec<>),
            "System.Memory`1" => typeof(MemoryCodec<>),
            "System.ReadOnlyMemory`1" => typeof(ReadOnlyMemoryCodec<>),
            "System.ArraySegment`1" => typeof(ArraySegmentCodec<>),
            "System.Threading.Tasks.ValueTask`1" => typeof(ValueTaskCodec<>),
            "System.Collections.Generic.Dictionary`2+Enumerator" => typeof(DictionaryEnumeratorCodec<,>),
            "System.Collections.Generic.Dictionary`2+KeyCollection+Enumerator" => typeof(KeyEnumeratorCodec<,>),
            "System.Collections.Generic.Dictionary`2+ValueCollection+Enumerator" => typeof(ValueEnumeratorCodec<,>),
            "System.Collections.Generic.HashSet`1+Enumerator" => typeof(HashSetEnumeratorCodec<>),
            _ => null,
        };
        return codec is null ? null : Activator.CreateInstance(codec.MakeGenericType(type.GetGenericArguments()));
    }

    /// <summary>
    /// Bits that mean the same everywhere and that are all valid: no references, no handles, nothing with a rule of its own
    /// (a date, a decimal, a truth value), no gaps that would carry whatever was in memory before.
    /// </summary>
    static bool IsBits(Type type)
    {
        if (type.IsPrimitive)
            return type != typeof(nint) && type != typeof(nuint) && type != typeof(bool);
        if (type.IsEnum)
            return IsBits(type.GetEnumUnderlyingType());
        if (!type.IsValueType || type.IsByRefLike)
            return false;
        if (type == typeof(Guid) || type == typeof(TimeSpan) || type == typeof(Int128) || type == typeof(UInt128) || type == typeof(Half))
            return true;
        if (TypePolicy.IsFramework(type.Assembly) ? !TypePolicy.IsListed(type) : TypePolicy.WhyNotShipped(type.Assembly) is not null)
            return false;
        if (HoldsEqualElements(type))
            return IsBits(type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)[0].FieldType);
        var size = 0;
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (!IsBits(field.FieldType))
                return false;
            size += SizeOf(field.FieldType);
        }
        return size > 0 && size == SizeOf(type);
    }

    /// <summary>It has one field, which stands for several: an inline array, or what the compiler makes of <c>fixed bool flags[8]</c>.</summary>
    static bool HoldsEqualElements(Type type) =>
        type.IsDefined(typeof(InlineArrayAttribute)) || (type.Name.StartsWith('<') && type.Name.EndsWith(">e__FixedBuffer", StringComparison.Ordinal));

    static int SizeOf(Type type) => RuntimeHelpers.SizeOf(type.TypeHandle);
}
