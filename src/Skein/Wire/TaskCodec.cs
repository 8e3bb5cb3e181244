namespace Skein;

/// <summary>Tasks that have ended well travel as their result.</summary>
static class TaskCodec
{
    public const string Unfinished = "a task that has not ended well is a promise of its place; await it first";

    public static Codec Make(Type type)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (at.IsGenericType && at.GetGenericTypeDefinition() == typeof(Task<>))
            {
                var result = at.GetGenericArguments()[0];
                if (result.Name != "VoidTaskResult")
                    return (Codec)Activator.CreateInstance(typeof(EndedTaskCodec<>).MakeGenericType(result), type)!;
            }
        }
        return new EndedTaskCodec(type);
    }
}

sealed class EndedTaskCodec : Codec
{
    public EndedTaskCodec(Type type) : base(type)
    {
        HasBody = false;
        WireType = typeof(Task);
    }

    public override void WriteHead(GraphWriter writer, object value)
    {
        if (!((Task)value).IsCompletedSuccessfully)
            throw new Refusal(value, Type, TaskCodec.Unfinished);
    }

    public override object ReadHead(GraphReader reader) => Task.CompletedTask;
}

sealed class EndedTaskCodec<T> : Codec
{
    public EndedTaskCodec(Type type) : base(type)
    {
        HasBody = false;
        WireType = typeof(Task<T>);
    }

    public override void WriteHead(GraphWriter writer, object value)
    {
        var task = (Task<T>)value;
        if (!task.IsCompletedSuccessfully)
            throw new Refusal(value, Type, TaskCodec.Unfinished);
        var result = task.GetAwaiter().GetResult();
        Element<T>.Write(writer, ref result);
    }

    public override object ReadHead(GraphReader reader)
    {
        T result = default!;
        Element<T>.Read(reader, ref result);
        return Task.FromResult(result);
    }
}

/// <summary>A lazy value travels once it is there.</summary>
sealed class LazyCodec<T> : Codec
{
    public LazyCodec() : base(typeof(Lazy<T>)) => HasBody = false;

    public override void WriteHead(GraphWriter writer, object value)
    {
        var lazy = (Lazy<T>)value;
        if (!lazy.IsValueCreated)
            throw new Refusal(value, Type, "a Lazy that has no value yet belongs to its place; ask for its Value first");
        var result = lazy.Value;
        Element<T>.Write(writer, ref result);
    }

    public override object ReadHead(GraphReader reader)
    {
        T result = default!;
        Element<T>.Read(reader, ref result);
        return new Lazy<T>(result);
    }
}

/// <summary>Its bits; the framework's own fields of it could be made to disagree.</summary>
sealed class BitArrayCodec : Codec
{
    public BitArrayCodec() : base(typeof(System.Collections.BitArray)) => HasBody = false;

    public override void WriteHead(GraphWriter writer, object value)
    {
        var bits = (System.Collections.BitArray)value;
        var words = new int[(bits.Length + 31) / 32];
        bits.CopyTo(words, 0);
        writer.WriteNumber((uint)bits.Length);
        writer.WriteBlock<int>(words);
    }

    public override object ReadHead(GraphReader reader)
    {
        var length = reader.ReadNumber();
        if (length > (ulong)reader.Remaining * 8)
            throw GraphReader.Bad("a bit array that is larger than the message");
        var words = new int[((int)length + 31) / 32];
        reader.ReadBlock<int>(words);
        return new System.Collections.BitArray(words) { Length = (int)length };
    }
}
