using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Reads objects of a class that has changed since they were written. What it has no more is read and let go of; what it has besides is
/// the default of its type.
/// </summary>
sealed class ChangedClassCodec : Codec
{
    readonly Field[] _fields;   // as they were written
    readonly FieldInfo?[] _targets;
    readonly FieldInfo[] _singletons;

    /// <param name="type">The class as it is.</param>
    /// <param name="was">As it was.</param>
    /// <param name="map">What takes the place of a type.</param>
    public ChangedClassCodec(Type type, Type was, Func<Type, Type> map) : base(type)
    {
        var targets = Field.InfosOf(type).ToDictionary(static info => (info.DeclaringType!.FullName, info.Name));
        _fields = Array.ConvertAll(Field.Of(was), field => field.As(map(field.Info.FieldType)));
        _targets = Array.ConvertAll(_fields, field => targets.GetValueOrDefault((field.Info.DeclaringType!.FullName, field.Info.Name)));
        for (var i = 0; i < _fields.Length; i++)
        {
            if (_targets[i] is { } target && target.FieldType != _fields[i].Type)
                throw new CannotArriveException($"It cannot go on in the other build: {SourceNames.Of(type)}.{SourceNames.OfField(target.Name)} has another type.");
        }
        _singletons = FieldwiseCodec.SingletonsOf(was);
    }

    public override object ReadHead(GraphReader reader)
    {
        var number = _singletons.Length > 0 ? reader.ReadNumber() : 0;
        if (number > (ulong)_singletons.Length)
            throw GraphReader.Bad("a singleton that is not there");
        if (number == 0)
            return RuntimeHelpers.GetUninitializedObject(Type);
        var name = _singletons[number - 1].Name;
        return Array.Find(FieldwiseCodec.SingletonsOf(Type), field => field.Name == name)?.GetValue(null)
            ?? throw new CannotArriveException($"It cannot go on in the other build: {SourceNames.Of(Type)}.{name} is no singleton there.");
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        if (Array.Exists(FieldwiseCodec.SingletonsOf(Type), field => ReferenceEquals(field.GetValue(null), value)))
            return;
        for (var i = 0; i < _fields.Length; i++)
        {
            var read = _fields[i].ReadValue(reader);
            _targets[i]?.SetValue(value, read);
        }
    }
}
