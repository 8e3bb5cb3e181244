using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>How values of a struct travel inside of what holds them: without type, without identity.</summary>
abstract class ValueCodec
{
    /// <summary>True when the bits mean the same in every process, so that arrays can be copied as one block.</summary>
    public bool IsBlock { get; protected init; }

    /// <summary>The fewest bytes that a value takes: what bounds the count of an array before memory is taken for it.</summary>
    public int MinimumSize { get; protected init; } = 1;

    public abstract void WriteBoxed(GraphWriter writer, object? value);

    public abstract object? ReadBoxed(GraphReader reader);

    public static ValueCodec For(Type type) => (ValueCodec)typeof(Element<>).MakeGenericType(type).GetField(nameof(Element<>.Values))!.GetValue(null)!;
}

abstract class ValueCodec<T> : ValueCodec
{
    public abstract void Write(GraphWriter writer, ref T value);

    public abstract void Read(GraphReader reader, ref T value);

    /// <summary>After a block was copied: refuses values whose bits a constructor would not have accepted.</summary>
    public virtual void Check(ReadOnlySpan<T> values)
    {
    }

    public sealed override void WriteBoxed(GraphWriter writer, object? value)
    {
        var unboxed = value is null ? default! : (T)value;   // null: an empty Nullable
        Write(writer, ref unboxed);
    }

    public sealed override object? ReadBoxed(GraphReader reader)
    {
        T value = default!;
        Read(reader, ref value);
        return value;
    }
}

/// <summary>Numbers, enumerations and structs of them, of fixed size.</summary>
class BlockCodec<T> : ValueCodec<T>
{
    public BlockCodec()
    {
        IsBlock = true;
        MinimumSize = Unsafe.SizeOf<T>();
    }

    public sealed override void Write(GraphWriter writer, ref T value) => writer.WriteRaw(ref value);

    public sealed override void Read(GraphReader reader, ref T value)
    {
        reader.ReadRaw(ref value);
        Check(new ReadOnlySpan<T>(ref value));
    }
}
