using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>
/// The compiler shares one closure among all lambdas of a scope. Of it travel the captured variables that the sent lambdas read; the
/// others may hold things that belong to their place. A second lambda that needs more has the rest written later.
/// </summary>
sealed class ClosureCodec(Type type) : Codec(type)
{
    /// <summary>Of larger closures all travels: the set of variables is one word, and its first bit is taken.</summary>
    const int MaxVariables = 62;

    Field[]? _fields;

    Field[] Fields => _fields ??= Field.Of(Type);

    public static bool IsClosure(Type type) => type.Name.StartsWith("<>c__DisplayClass", StringComparison.Ordinal) && !type.IsValueType;

    /// <summary>Reached by something else than a function, so that all of it travels: also when a function leads to it before its body is written.</summary>
    public override void WriteHead(GraphWriter writer, object value) => writer.NeedsOf(value).IsQueued = true;

    public override object ReadHead(GraphReader reader) => RuntimeHelpers.GetUninitializedObject(Type);

    /// <summary>A set of variables, bit 0 for all; then their values.</summary>
    public override void WriteBody(GraphWriter writer, object value)
    {
        var fields = Fields;
        var needs = writer.NeedsOf(value);
        var pending = needs.Take();
        var set = fields.Length > MaxVariables ? 1 : Set(pending);
        writer.WriteNumber(set);
        for (var i = 0; i < fields.Length; i++)
        {
            if (!IsIn(set, i))
                continue;
            var field = fields[i];
            if (IsClosure(field.Info.FieldType) && field.Info.GetValue(value) is { } outer)
                writer.WriteClosure(outer, CollectionsMarshal.AsSpan(pending));   // of the enclosing scope: the same functions say what of it is read
            else
                field.Write(writer, value);
        }
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        var fields = Fields;
        var set = reader.ReadNumber();
        for (var i = 0; i < fields.Length; i++)
        {
            if (IsIn(set, i))
                fields[i].Read(reader, value);
        }
    }

    ulong Set(List<ClosureScan> pending)
    {
        var set = 0ul;
        foreach (var scan in pending)
        {
            if (scan.IsEverything)
                return 1;
            for (var i = 0; i < Fields.Length; i++)
            {
                if (scan.Reads(Fields[i].Info))
                    set |= 2ul << i;
            }
        }
        return set;
    }

    static bool IsIn(ulong set, int field) => (set & 1) != 0 || (set & (2ul << field)) != 0;
}
