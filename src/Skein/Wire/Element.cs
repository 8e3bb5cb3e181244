using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>A value of a known type: in a field, an array, a collection. The tests of the type cost nothing once compiled.</summary>
static class Element<T>
{
    /// <summary>For classes: the codec of exactly this class, or null.</summary>
    public static readonly Codec? Declared = Codec.Declared(typeof(T));

    /// <summary>For structs.</summary>
    public static readonly ValueCodec<T>? Values = typeof(T).IsValueType ? ValueCodecChoice.Make<T>() : null;

    /// <summary>For structs: the modules whose version matters for them.</summary>
    public static readonly Module[] Modules = typeof(T).IsValueType && !typeof(T).IsPrimitive && Values is not SurrogateValueCodec<T> ? LayoutModules.Of(typeof(T)) : [];

    /// <summary>The fewest bytes that each takes where <see cref="WriteAll"/> wrote it.</summary>
    public static int MinimumSize => Values?.MinimumSize ?? 1;

    /// <summary>True when arrays of it can be copied as one block.</summary>
    public static bool IsBlock => Values is { IsBlock: true };

    public static void Write(GraphWriter writer, ref T value)
    {
        if (!typeof(T).IsValueType)
            writer.WriteReference(value, Declared);
        else if (typeof(T) == typeof(int))
            writer.WriteSigned(Unsafe.As<T, int>(ref value));
        else if (typeof(T) == typeof(long))
            writer.WriteSigned(Unsafe.As<T, long>(ref value));
        else if (typeof(T) == typeof(bool) || typeof(T) == typeof(byte) || typeof(T) == typeof(sbyte))
            writer.WriteByte(Unsafe.As<T, byte>(ref value));
        else if (typeof(T) == typeof(uint))
            writer.WriteNumber(Unsafe.As<T, uint>(ref value));
        else if (typeof(T) == typeof(ulong))
            writer.WriteNumber(Unsafe.As<T, ulong>(ref value));
        else if (typeof(T) == typeof(short))
            writer.WriteSigned(Unsafe.As<T, short>(ref value));
        else if (typeof(T) == typeof(ushort) || typeof(T) == typeof(char))
            writer.WriteNumber(Unsafe.As<T, ushort>(ref value));
        else if (typeof(T) == typeof(double) || typeof(T) == typeof(float))
            writer.WriteRaw(ref value);
        else
            Values!.Write(writer, ref value);
    }

    public static void Read(GraphReader reader, ref T value)
    {
        if (!typeof(T).IsValueType)
            value = (T)reader.ReadReference(Declared)!;
        else if (typeof(T) == typeof(int))
            Unsafe.As<T, int>(ref value) = reader.ReadInt32();
        else if (typeof(T) == typeof(long))
            Unsafe.As<T, long>(ref value) = reader.ReadSigned();
        else if (typeof(T) == typeof(bool))
            Unsafe.As<T, bool>(ref value) = reader.ReadBoolean();
        else if (typeof(T) == typeof(byte) || typeof(T) == typeof(sbyte))
            Unsafe.As<T, byte>(ref value) = reader.ReadByte();
        else if (typeof(T) == typeof(uint))
            Unsafe.As<T, uint>(ref value) = reader.ReadUInt32();
        else if (typeof(T) == typeof(ulong))
            Unsafe.As<T, ulong>(ref value) = reader.ReadNumber();
        else if (typeof(T) == typeof(short))
            Unsafe.As<T, short>(ref value) = reader.ReadInt16();
        else if (typeof(T) == typeof(ushort) || typeof(T) == typeof(char))
            Unsafe.As<T, ushort>(ref value) = reader.ReadUInt16();
        else if (typeof(T) == typeof(double) || typeof(T) == typeof(float))
            reader.ReadRaw(ref value);
        else
            Values!.Read(reader, ref value);
    }

    /// <summary>Several in a row, as one block where the type allows it.</summary>
    public static void WriteAll(GraphWriter writer, Span<T> values)
    {
        if (IsBlock)
        {
            writer.WriteBlock<T>(values);
        }
        else
        {
            for (var i = 0; i < values.Length; i++)
                Write(writer, ref values[i]);
        }
    }

    public static void ReadAll(GraphReader reader, Span<T> values)
    {
        if (IsBlock)
        {
            reader.ReadBlock(values);
            Values!.Check(values);
        }
        else
        {
            for (var i = 0; i < values.Length; i++)
                Read(reader, ref values[i]);
        }
    }

    /// <summary>A count of such elements, written by <see cref="WriteAll"/>, that fits into what is left of the message.</summary>
    public static int ReadCount(GraphReader reader) => reader.ReadCount(MinimumSize);

    /// <summary>The same where each was written by <see cref="Write"/>, which makes small numbers short.</summary>
    public static int ReadCountOfSingles(GraphReader reader) => reader.ReadCount(typeof(T).IsPrimitive ? 1 : MinimumSize);
}
