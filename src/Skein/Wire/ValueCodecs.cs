using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>Structs as their fields. By reflection at first, like <see cref="FieldSet"/>.</summary>
sealed class FieldwiseValueCodec<T> : ValueCodec<T>
{
    readonly Field[] _fields = Field.Of(typeof(T));
    WriteValue<T>? _write;
    ReadValue<T>? _read;
    int _written, _made;

    public FieldwiseValueCodec() => MinimumSize = Math.Max(1, _fields.Sum(f => f.Values?.MinimumSize ?? 1));

    public override void Write(GraphWriter writer, ref T value)
    {
        if (_fields.Length == 0)
        {
            writer.WriteByte(0);   // every value takes a byte at least, so that counts can be checked
        }
        else if (_write is { } emitted)
        {
            emitted(writer, ref value);
        }
        else if (++_written > FieldSet.HotAfter)
        {
            (_write = FieldEmitter.ValueWriter<T>(_fields))(writer, ref value);
        }
        else
        {
            object box = value!;
            foreach (var field in _fields)
                field.Write(writer, box);
        }
    }

    public override void Read(GraphReader reader, ref T value)
    {
        if (_fields.Length == 0)
        {
            reader.ReadByte();
        }
        else if (_read is { } emitted)
        {
            emitted(reader, ref value);
        }
        else if (++_made > FieldSet.HotAfter)
        {
            (_read = FieldEmitter.ValueReader<T>(_fields))(reader, ref value);
        }
        else
        {
            object box = value!;
            foreach (var field in _fields)
                field.Read(reader, box);
            value = (T)box;
        }
    }
}

/// <summary>Structs that belong to their place: only their default value, which refers to nothing, may travel.</summary>
sealed class RefusedValueCodec<T>(string reason) : ValueCodec<T>
{
    public override void Write(GraphWriter writer, ref T value)
    {
        var bytes = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<T, byte>(ref value), Unsafe.SizeOf<T>());
        if (bytes.ContainsAnyExcept((byte)0))
            throw new Refusal(value, typeof(T), reason);
        writer.WriteByte(0);
    }

    public override void Read(GraphReader reader, ref T value)
    {
        if (reader.ReadByte() != 0)
            throw GraphReader.Bad(reason);
        value = default!;
    }
}

sealed class NullableCodec<T> : ValueCodec<T?> where T : struct
{
    public override void Write(GraphWriter writer, ref T? value)
    {
        writer.WriteByte(value.HasValue ? (byte)1 : (byte)0);
        if (value is not { } present)
            return;
        Element<T>.Write(writer, ref present);
    }

    public override void Read(GraphReader reader, ref T? value)
    {
        value = null;
        if (!reader.ReadBoolean())
            return;
        T present = default;
        Element<T>.Read(reader, ref present);
        value = present;
    }
}

/// <summary>A struct of N equal elements: an inline array, or a buffer of fixed size.</summary>
sealed class InlineArrayCodec<TArray, T> : ValueCodec<TArray>
{
    static readonly int Length = Unsafe.SizeOf<TArray>() / Unsafe.SizeOf<T>();

    public InlineArrayCodec() => MinimumSize = Length * Element<T>.MinimumSize;

    public override void Write(GraphWriter writer, ref TArray value) => Element<T>.WriteAll(writer, All(ref value));

    public override void Read(GraphReader reader, ref TArray value) => Element<T>.ReadAll(reader, All(ref value));

    static Span<T> All(ref TArray value) => MemoryMarshal.CreateSpan(ref Unsafe.As<TArray, T>(ref value), Length);
}

/// <summary>A value task that has its result.</summary>
sealed class ValueTaskCodec<T> : ValueCodec<ValueTask<T>>
{
    public override void Write(GraphWriter writer, ref ValueTask<T> value)
    {
        if (!value.IsCompletedSuccessfully)
            throw new Refusal(null, typeof(ValueTask<T>), TaskCodec.Unfinished);
        var result = value.GetAwaiter().GetResult();
        value = new(result);   // a pooled source may be asked once only
        Element<T>.Write(writer, ref result);
    }

    public override void Read(GraphReader reader, ref ValueTask<T> value)
    {
        T result = default!;
        Element<T>.Read(reader, ref result);
        value = new(result);
    }
}
