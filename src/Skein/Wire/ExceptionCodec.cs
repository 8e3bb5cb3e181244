using System.Collections;
using System.Collections.Specialized;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Exceptions as plain fields: message, inner exception, stack as text, data, and what the application's class adds. No constructor
/// runs, however strange. Of the framework's own exceptions only numbers, texts and further exceptions travel.
/// </summary>
sealed class ExceptionCodec(Type type) : Codec(type)
{
    const string Seam = "--- End of stack trace from another process ---";

    readonly FieldSet _own = new(type, static field =>
        field.DeclaringType != typeof(Exception) && (!TypePolicy.IsFramework(field.DeclaringType!.Assembly) || IsKept(field.FieldType)));

    public override object ReadHead(GraphReader reader)
    {
        var exception = (Exception)RuntimeHelpers.GetUninitializedObject(Type);
        RuntimeCode(exception) = unchecked((int)0xE0434352);   // "a managed exception", which a constructor would have set
        return exception;
    }

    public override void WriteBody(GraphWriter writer, object value)
    {
        var exception = (Exception)value;
        writer.WriteReference(Message(exception), Element<string>.Declared);
        writer.WriteReference(Inner(exception), null);
        writer.WriteSigned(Result(exception));
        writer.WriteReference(Source(exception), Element<string>.Declared);
        var stack = exception.StackTrace?.TrimEnd();   // one that came from elsewhere ends with its seam and a new line
        if (stack is not null && !stack.EndsWith(Seam, StringComparison.Ordinal))
            stack = $"{stack}{Environment.NewLine}{Seam}";
        writer.WriteReference(stack, Element<string>.Declared);
        WriteData(writer, Data(exception));
        _own.Write(writer, value);
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        var exception = (Exception)value;
        Message(exception) = (string?)reader.ReadReference(Element<string>.Declared);
        Inner(exception) = (Exception?)reader.ReadReference(null);
        Result(exception) = reader.ReadInt32();
        Source(exception) = (string?)reader.ReadReference(Element<string>.Declared);
        if (reader.ReadReference(Element<string>.Declared) is string stack)
            RemoteStack(exception) = stack + Environment.NewLine;
        var count = reader.ReadCount(2);
        if (count > 0)
            Data(exception) = ReadData(reader, count);
        _own.Read(reader, value);
    }

    /// <summary>Of the fields of the framework's own exceptions.</summary>
    static bool IsKept(Type field)
    {
        var value = Nullable.GetUnderlyingType(field) ?? field;
        return IsPlain(value) || value.IsEnum || field == typeof(Exception[]) || field.IsAssignableTo(typeof(Exception));
    }

    static bool IsPlain(Type type) =>
        type == typeof(string) || type == typeof(decimal) || (type.IsPrimitive && type != typeof(nint) && type != typeof(nuint));

    /// <summary>Texts and numbers under texts. Anything else stays: it must not keep the exception from arriving.</summary>
    static void WriteData(GraphWriter writer, IDictionary? data)
    {
        var pairs = data?.Cast<DictionaryEntry>().Where(static e => e.Key is string && (e.Value is null || IsPlain(e.Value.GetType()))).ToArray() ?? [];
        writer.WriteNumber((uint)pairs.Length);
        foreach (var pair in pairs)
        {
            writer.WriteText((string)pair.Key);
            writer.WriteReference(pair.Value, null);
        }
    }

    /// <summary>In order, and enumerated as <see cref="DictionaryEntry"/>, like the data that an exception has by itself: a generic dictionary is not.</summary>
    static OrderedDictionary ReadData(GraphReader reader, int count)
    {
        var data = new OrderedDictionary();
        for (; count > 0; count--)
            data.Add(reader.ReadText(), reader.ReadReference(null));
        return data;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_message")]
    static extern ref string? Message(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_innerException")]
    static extern ref Exception? Inner(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_HResult")]
    static extern ref int Result(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_source")]
    static extern ref string? Source(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_remoteStackTraceString")]
    static extern ref string? RemoteStack(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_data")]
    static extern ref IDictionary? Data(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_xcode")]
    static extern ref int RuntimeCode(Exception exception);
}
