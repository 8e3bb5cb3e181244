namespace Skein;

/// <summary>Objects that a surrogate describes. On the wire they are objects of the surrogate's class.</summary>
sealed class SurrogateCodec : Codec
{
    readonly Surrogate? _surrogate;

    /// <param name="type">The class that the surrogate handles, or the surrogate's own (for the reader).</param>
    /// <param name="surrogate">Null for the surrogate's own class: it is looked up then.</param>
    public SurrogateCodec(Type type, Surrogate? surrogate) : base(type)
    {
        HasBody = false;
        _surrogate = surrogate ?? Surrogate.OfClass(type);
        WireType = _surrogate?.GetType() ?? type;
    }

    /// <summary>The reader would find out too, but could only say that the message is damaged.</summary>
    public void RequireFit(Type field, object value)
    {
        if (_surrogate?.WhyNotIn(field, value.GetType()) is { } reason)
            throw new Refusal(value, value.GetType(), reason);
    }

    public override void WriteHead(GraphWriter writer, object value) => _surrogate!.Write(writer, value);

    public override object ReadHead(GraphReader reader) =>
        (_surrogate ?? throw GraphReader.Bad($"{Type} is not registered")).Read(reader) ?? throw GraphReader.Bad($"{Type} made nothing");
}

/// <summary>The same for structs; the default value needs no surrogate.</summary>
sealed class SurrogateValueCodec<T>(Surrogate surrogate) : ValueCodec<T>
{
    public override void Write(GraphWriter writer, ref T value)
    {
        if (EqualityComparer<T>.Default.Equals(value, default!))
        {
            writer.WriteByte(0);
            return;
        }
        writer.WriteByte(1);
        surrogate.Write(writer, value!);
    }

    public override void Read(GraphReader reader, ref T value) => value = reader.ReadBoolean() ? (T)surrogate.Read(reader) : default!;
}
