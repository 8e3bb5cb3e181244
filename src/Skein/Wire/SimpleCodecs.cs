namespace Skein;

sealed class StringCodec : Codec
{
    public StringCodec() : base(typeof(string)) => HasBody = false;

    public override void WriteHead(GraphWriter writer, object value) => writer.WriteText((string)value);

    public override object ReadHead(GraphReader reader) => reader.ReadText();
}

/// <summary><c>new object()</c>: an identity and nothing else.</summary>
sealed class PlainObjectCodec : Codec
{
    public PlainObjectCodec() : base(typeof(object)) => HasBody = false;

    public override object ReadHead(GraphReader reader) => new();
}

sealed class TypeCodec : Codec
{
    public TypeCodec(Type type) : base(type)
    {
        HasBody = false;
        WireType = typeof(Type);
    }

    public override void WriteHead(GraphWriter writer, object value) => writer.WriteType((Type)value);

    public override object ReadHead(GraphReader reader) => reader.ReadType();
}

/// <summary>Classes of the framework that a text says completely.</summary>
sealed class TextCodec<T> : Codec where T : class
{
    readonly Func<T, string> _format;
    readonly Func<string, T> _parse;

    public TextCodec(Func<T, string> format, Func<string, T> parse) : base(typeof(T))
    {
        HasBody = false;
        _format = format;
        _parse = parse;
    }

    public override void WriteHead(GraphWriter writer, object value) => writer.WriteText(_format((T)value));

    public override object ReadHead(GraphReader reader) => _parse(reader.ReadText());
}

/// <summary>Which kind it is has to be said: on Unix <c>/tmp/x</c> may be either.</summary>
sealed class UriCodec : Codec
{
    public UriCodec() : base(typeof(Uri)) => HasBody = false;

    public override void WriteHead(GraphWriter writer, object value)
    {
        var uri = (Uri)value;
        writer.WriteByte(uri.IsAbsoluteUri ? (byte)1 : (byte)0);
        writer.WriteText(uri.OriginalString);
    }

    public override object ReadHead(GraphReader reader)
    {
        var kind = reader.ReadBoolean() ? UriKind.Absolute : UriKind.Relative;
        return new Uri(reader.ReadText(), kind);
    }
}

/// <summary>A struct in a box. It has an identity, so it can be shared.</summary>
sealed class BoxCodec<T>() : Codec(typeof(T)) where T : struct
{
    public override object ReadHead(GraphReader reader) => default(T);

    public override void WriteBody(GraphWriter writer, object value) => Element<T>.Write(writer, ref System.Runtime.CompilerServices.Unsafe.Unbox<T>(value));

    public override void ReadBody(GraphReader reader, object value) => Element<T>.Read(reader, ref System.Runtime.CompilerServices.Unsafe.Unbox<T>(value));
}

/// <summary>Objects that belong to their place.</summary>
sealed class RefusedCodec(Type type, string reason) : Codec(type)
{
    public override void WriteHead(GraphWriter writer, object value) => throw new Refusal(value, Type, reason);

    public override object ReadHead(GraphReader reader) => throw GraphReader.Bad(reason);
}
