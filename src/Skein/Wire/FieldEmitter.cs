using System.Reflection;
using System.Reflection.Emit;

namespace Skein;

delegate void WriteValue<T>(GraphWriter writer, ref T value);

delegate void ReadValue<T>(GraphReader reader, ref T value);

/// <summary>
/// Emits the code that writes and sets the fields of one class or struct. Codecs are its constants, held in an array. Every reference
/// that it stores is cast to the field's type first: that is what keeps forged bytes from breaking the type system.
/// </summary>
static class FieldEmitter
{
    static readonly MethodInfo WriteReference = typeof(GraphWriter).GetMethod(nameof(GraphWriter.WriteReference))!;
    static readonly MethodInfo ReadReference = typeof(GraphReader).GetMethod(nameof(GraphReader.ReadReference))!;

    public static Action<GraphWriter, object> Writer(Type type, Field[] fields) =>
        EmitWriter(type, typeof(object), fields).CreateDelegate<Action<GraphWriter, object>>(Constants(fields));

    public static Action<GraphReader, object> Reader(Type type, Field[] fields) =>
        EmitReader(type, typeof(object), fields).CreateDelegate<Action<GraphReader, object>>(Constants(fields));

    public static WriteValue<T> ValueWriter<T>(Field[] fields) =>
        EmitWriter(typeof(T), typeof(T).MakeByRefType(), fields).CreateDelegate<WriteValue<T>>(Constants(fields));

    public static ReadValue<T> ValueReader<T>(Field[] fields) =>
        EmitReader(typeof(T), typeof(T).MakeByRefType(), fields).CreateDelegate<ReadValue<T>>(Constants(fields));

    static object?[] Constants(Field[] fields) => Array.ConvertAll(fields, f => (object?)f.Values ?? f.Declared);

    static DynamicMethod New(string name, Type type, Type first, Type second) =>
        new($"{name} {type.Name}", typeof(void), [typeof(object[]), first, second], type.Module, skipVisibility: true);

    static DynamicMethod EmitWriter(Type type, Type argument, Field[] fields)
    {
        var method = New("Write", type, typeof(GraphWriter), argument);
        var il = method.GetILGenerator();
        for (var i = 0; i < fields.Length; i++)
        {
            var (field, of) = (fields[i].Info, fields[i].Info.FieldType);
            if (fields[i].Values is not null)
                LoadConstant(il, i);
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Ldarg_2);
            il.Emit(fields[i].Values is null ? OpCodes.Ldfld : OpCodes.Ldflda, field);
            if (fields[i].Values is not null)
            {
                il.Emit(OpCodes.Callvirt, typeof(ValueCodec<>).MakeGenericType(of).GetMethod(nameof(ValueCodec<>.Write))!);
            }
            else if (!of.IsValueType)
            {
                LoadConstant(il, i);
                il.Emit(OpCodes.Call, WriteReference);
            }
            else
            {
                EmitWriteNumber(il, fields[i].Code);
            }
        }
        il.Emit(OpCodes.Ret);
        return method;
    }

    static DynamicMethod EmitReader(Type type, Type argument, Field[] fields)
    {
        var method = New("Read", type, typeof(GraphReader), argument);
        var il = method.GetILGenerator();
        for (var i = 0; i < fields.Length; i++)
        {
            var (field, of) = (fields[i].Info, fields[i].Info.FieldType);
            if (fields[i].Values is not null)
            {
                LoadConstant(il, i);
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Ldarg_2);
                il.Emit(OpCodes.Ldflda, field);
                il.Emit(OpCodes.Callvirt, typeof(ValueCodec<>).MakeGenericType(of).GetMethod(nameof(ValueCodec<>.Read))!);
                continue;
            }
            il.Emit(OpCodes.Ldarg_2);
            il.Emit(OpCodes.Ldarg_1);
            if (!of.IsValueType)
            {
                LoadConstant(il, i);
                il.Emit(OpCodes.Call, ReadReference);
                il.Emit(OpCodes.Castclass, of);
            }
            else
            {
                EmitReadNumber(il, fields[i].Code);
            }
            il.Emit(OpCodes.Stfld, field);
        }
        il.Emit(OpCodes.Ret);
        return method;
    }

    static void LoadConstant(ILGenerator il, int index)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, index);
        il.Emit(OpCodes.Ldelem_Ref);
    }

    static void EmitWriteNumber(ILGenerator il, TypeCode code)
    {
        if (code is TypeCode.Int16 or TypeCode.Int32)
            il.Emit(OpCodes.Conv_I8);
        else if (code is TypeCode.UInt16 or TypeCode.UInt32 or TypeCode.Char)
            il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Call, typeof(GraphWriter).GetMethod(code switch
        {
            TypeCode.Boolean or TypeCode.Byte or TypeCode.SByte => nameof(GraphWriter.WriteByte),
            TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 => nameof(GraphWriter.WriteSigned),
            TypeCode.Double => nameof(GraphWriter.WriteDouble),
            TypeCode.Single => nameof(GraphWriter.WriteSingle),
            _ => nameof(GraphWriter.WriteNumber),
        })!);
    }

    static void EmitReadNumber(ILGenerator il, TypeCode code) => il.Emit(OpCodes.Call, typeof(GraphReader).GetMethod(code switch
    {
        TypeCode.Boolean => nameof(GraphReader.ReadBoolean),
        TypeCode.Byte or TypeCode.SByte => nameof(GraphReader.ReadByte),
        TypeCode.Int16 => nameof(GraphReader.ReadInt16),
        TypeCode.Int32 => nameof(GraphReader.ReadInt32),
        TypeCode.Int64 => nameof(GraphReader.ReadSigned),
        TypeCode.UInt16 or TypeCode.Char => nameof(GraphReader.ReadUInt16),
        TypeCode.UInt32 => nameof(GraphReader.ReadUInt32),
        TypeCode.UInt64 => nameof(GraphReader.ReadNumber),
        TypeCode.Double => nameof(GraphReader.ReadDouble),
        _ => nameof(GraphReader.ReadSingle),
    })!);
}
