using System.Reflection;

namespace Skein;

/// <summary>
/// The fields of a class. They are read and set by reflection at first and by emitted code once the class turns out to be used often:
/// a worker's first task does not wait for the compiler.
/// </summary>
sealed class FieldSet(Type type, Func<FieldInfo, bool>? filter = null)
{
    /// <summary>
    /// Objects after which code is emitted. Reflection costs some 30 ns a field more; emitting the two methods of a class some
    /// 0.5 ms once: they meet at a few thousand objects. Fewer, since who sends a thousand will send more.
    /// </summary>
    public const int HotAfter = 1000;

    Field[]? _fields;
    Action<GraphWriter, object>? _write;
    Action<GraphReader, object>? _read;
    int _written, _made;

    /// <summary>Looked up late: classes refer to each other.</summary>
    public Field[] Fields => _fields ??= Field.Of(type, filter);

    public void Write(GraphWriter writer, object value)
    {
        if (_write is { } emitted)
        {
            emitted(writer, value);
        }
        else if (++_written > HotAfter)
        {
            (_write = FieldEmitter.Writer(type, Fields))(writer, value);
        }
        else
        {
            foreach (var field in Fields)
                field.Write(writer, value);
        }
    }

    public void Read(GraphReader reader, object value)
    {
        if (_read is { } emitted)
        {
            emitted(reader, value);
        }
        else if (++_made > HotAfter)
        {
            (_read = FieldEmitter.Reader(type, Fields))(reader, value);
        }
        else
        {
            foreach (var field in Fields)
                field.Read(reader, value);
        }
    }
}
