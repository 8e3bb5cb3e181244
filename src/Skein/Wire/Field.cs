using System.Reflection;

namespace Skein;

/// <summary>A field, and how its value travels.</summary>
sealed class Field
{
    Field(FieldInfo info, Type type)
    {
        Info = info;
        Type = type;
        Code = Type.GetTypeCode(type);
        if (info.GetCustomAttribute<BindingAttribute>() is { } binding)
            Values = (ValueCodec)Activator.CreateInstance(binding.Codec(type))!;
        else if (!type.IsValueType)
            Declared = Codec.Declared(type);
        else if (Code is TypeCode.Object or TypeCode.Decimal or TypeCode.DateTime)
            Values = ValueCodec.For(type);
    }

    public FieldInfo Info { get; }

    /// <summary>Of its values.</summary>
    public Type Type { get; }

    public TypeCode Code { get; }

    /// <summary>For references.</summary>
    public Codec? Declared { get; }

    /// <summary>For structs, and for fields with a binding; null for numbers and enumerations.</summary>
    public ValueCodec? Values { get; }

    /// <summary>The fields of a class or struct in order of declaration, those of its base classes first.</summary>
    public static Field[] Of(Type type, Func<FieldInfo, bool>? filter = null) =>
        [.. InfosOf(type).Where(field => filter is null || filter(field)).Select(static field => new Field(field, field.FieldType))];

    /// <summary>The same before it is asked how they travel.</summary>
    public static List<FieldInfo> InfosOf(Type type)
    {
        var fields = new List<FieldInfo>();
        for (var at = type; at is not null && at != typeof(object) && at != typeof(ValueType); at = at.BaseType)
        {
            var own = at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);
            Array.Sort(own, static (x, y) => x.MetadataToken.CompareTo(y.MetadataToken));
            fields.InsertRange(0, own.Where(static field => !field.IsDefined(typeof(TransientAttribute))));
        }
        return fields;
    }

    public void Write(GraphWriter writer, object owner)
    {
        var value = Info.GetValue(owner);
        if (Values is not null)
            Values.WriteBoxed(writer, value);
        else if (!Info.FieldType.IsValueType)
            writer.WriteReference(value, Declared);
        else
            WriteNumber(writer, value!);
    }

    public void Read(GraphReader reader, object owner) => Info.SetValue(owner, ReadValue(reader));

    public object? ReadValue(GraphReader reader) => Values is not null ? Values.ReadBoxed(reader) : !Type.IsValueType ? reader.ReadReference(Declared) : ReadNumber(reader);

    /// <summary>The same field with values of another type, which takes the place of its own.</summary>
    public Field As(Type type) => type == Type ? this : new(Info, type);

    void WriteNumber(GraphWriter writer, object value)
    {
        switch (Code)
        {
            case TypeCode.Boolean: writer.WriteByte((bool)value ? (byte)1 : (byte)0); break;
            case TypeCode.Byte: writer.WriteByte((byte)value); break;
            case TypeCode.SByte: writer.WriteByte((byte)(sbyte)value); break;
            case TypeCode.Int16: writer.WriteSigned((short)value); break;
            case TypeCode.Int32: writer.WriteSigned((int)value); break;
            case TypeCode.Int64: writer.WriteSigned((long)value); break;
            case TypeCode.UInt16: writer.WriteNumber((ushort)value); break;
            case TypeCode.Char: writer.WriteNumber((char)value); break;
            case TypeCode.UInt32: writer.WriteNumber((uint)value); break;
            case TypeCode.UInt64: writer.WriteNumber((ulong)value); break;
            case TypeCode.Double: writer.WriteDouble((double)value); break;
            default: writer.WriteSingle((float)value); break;
        }
    }

    object ReadNumber(GraphReader reader)
    {
        object value = Code switch
        {
            TypeCode.Boolean => reader.ReadBoolean(),
            TypeCode.Byte => reader.ReadByte(),
            TypeCode.SByte => (sbyte)reader.ReadByte(),
            TypeCode.Int16 => reader.ReadInt16(),
            TypeCode.Int32 => reader.ReadInt32(),
            TypeCode.Int64 => reader.ReadSigned(),
            TypeCode.UInt16 => reader.ReadUInt16(),
            TypeCode.Char => (char)reader.ReadUInt16(),
            TypeCode.UInt32 => reader.ReadUInt32(),
            TypeCode.UInt64 => reader.ReadNumber(),
            TypeCode.Double => reader.ReadDouble(),
            _ => reader.ReadSingle(),
        };
        return Type.IsEnum ? Enum.ToObject(Type, value) : value;
    }
}
