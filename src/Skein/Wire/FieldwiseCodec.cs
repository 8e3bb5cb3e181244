using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Objects as their fields, those of the base classes first. An object that a <c>static readonly</c> field of its class holds (a
/// singleton) stays what it is: the one in the same field takes its place on the other side.
/// </summary>
sealed class FieldwiseCodec : Codec
{
    readonly FieldInfo[] _singletons;
    readonly FieldSet _fields;

    public FieldwiseCodec(Type type) : base(type)
    {
        _fields = new(type);
        _singletons = SingletonsOf(type);
    }

    public override void WriteHead(GraphWriter writer, object value)
    {
        if (_singletons.Length > 0)
            writer.WriteNumber((uint)SingletonNumber(value));
    }

    public override object ReadHead(GraphReader reader)
    {
        if (_singletons.Length > 0)
        {
            var number = reader.ReadNumber();
            if (number > (ulong)_singletons.Length)
                throw GraphReader.Bad("a singleton that is not there");
            if (number > 0)
                return _singletons[number - 1].GetValue(null) ?? throw GraphReader.Bad("a singleton that is null here");
        }
        return RuntimeHelpers.GetUninitializedObject(Type);
    }

    public override void WriteBody(GraphWriter writer, object value)
    {
        if (_singletons.Length == 0 || SingletonNumber(value) == 0)
            _fields.Write(writer, value);
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        if (_singletons.Length == 0 || SingletonNumber(value) == 0)
            _fields.Read(reader, value);
    }

    int SingletonNumber(object value)
    {
        for (var i = 0; i < _singletons.Length; i++)
        {
            if (ReferenceEquals(_singletons[i].GetValue(null), value))
                return i + 1;
        }
        return 0;
    }

    public static IEnumerable<string> SingletonNames(Type type) => SingletonsOf(type).Select(static field => field.Name);

    public static FieldInfo[] SingletonsOf(Type type)
    {
        if (type.IsGenericType && TypePolicy.IsFramework(type.Assembly))
            return [];
        var fields = type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);
        if (fields.Length == 0)
            return fields;
        fields = Array.FindAll(fields, f => f.IsInitOnly && f.FieldType == type);
        Array.Sort(fields, static (x, y) => x.MetadataToken.CompareTo(y.MetadataToken));
        return fields;
    }
}
