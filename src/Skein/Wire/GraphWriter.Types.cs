using System.Reflection;

namespace Skein;

sealed partial class GraphWriter
{
    /// <summary>
    /// A type: <c>0</c> described here and to be remembered, <c>1</c> described and not to be remembered, else its number plus 2: one
    /// that every session knows (<see cref="CommonTypes"/>) or one that was described before.
    /// </summary>
    public void WriteType(Type type) => WriteTypeNumber(type);

    /// <summary>Returns what stands for the type from now on, or 0 when it has to be described again each time.</summary>
    int WriteTypeNumber(Type type)
    {
        if (CommonTypes.TryFind(type, out var number))
            number += 2;
        else if (session.Types.TryFind(type, out number))
            number += 2 + CommonTypes.Count;
        else
            return WriteNewType(type);
        WriteNumber((uint)number);
        return number;
    }

    int WriteNewType(Type type)
    {
        if (++_depth > WireLimits.MaxDepth)
            throw new Refusal(type, type, "the generic type is nested too deeply");
        if (TypeShape.WhyNot(type) is { } reason)
            throw new Refusal(type, type, reason);
        var remembered = !session.Types.IsFull;
        WriteByte(remembered ? (byte)0 : (byte)1);
        DescribeType(type);
        _depth--;
        // Its arguments may have taken numbers, and the last one, meanwhile; the reader finds the same.
        return remembered && !session.Types.IsFull ? session.Types.Add(type) + 2 + CommonTypes.Count : 0;
    }

    void DescribeType(Type type)
    {
        var shape = TypeShape.Of(type);
        if (shape.Definition is { } definition)
        {
            WriteByte((byte)TypeKind.Generic);
            WriteType(definition);
            foreach (var argument in shape.Arguments)
                WriteType(argument);
        }
        else if (shape.Module is { } module)
        {
            WriteByte((byte)TypeKind.Application);
            WriteModule(module, type);
            WriteNumber(shape.Row);
        }
        else if (type.IsSZArray)
        {
            WriteByte((byte)TypeKind.Array);
            WriteType(type.GetElementType()!);
        }
        else if (type.IsArray)
        {
            WriteByte((byte)TypeKind.RankedArray);
            WriteByte((byte)type.GetArrayRank());
            WriteType(type.GetElementType()!);
        }
        else if (type.IsPointer || type.IsByRef || type.IsGenericParameter || type.IsFunctionPointer)
        {
            throw new Refusal(type, type, $"{SourceNames.Of(type)} is a pointer or a type parameter without a value");
        }
        else
        {
            WriteByte((byte)TypeKind.Framework);
            WriteText(type.Assembly.GetName().Name!);
            WriteText(type.FullName!);
        }
    }

    /// <summary>A method: <c>0</c> described and remembered, <c>1</c> described only, else its number plus 2.</summary>
    public void WriteMethod(MethodInfo method)
    {
        if (session.Methods.TryFind(method, out var number))
        {
            WriteNumber((uint)number + 2);
            return;
        }
        var remembered = !session.Methods.IsFull;
        WriteByte(remembered ? (byte)0 : (byte)1);
        WriteType(method.DeclaringType!);
        WriteNumber((uint)method.MetadataToken & 0xFFFFFF);
        var arguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        WriteByte((byte)arguments.Length);
        foreach (var argument in arguments)
            WriteType(argument);
        if (remembered)
            session.Methods.Add(method);
    }

    void WriteModule(Module module, Type type)
    {
        HoldsCollectible |= module.Assembly.IsCollectible;
        if (session.Modules.TryFind(module, out var number))
        {
            WriteNumber((uint)number + 1);
            return;
        }
        if (TypePolicy.WhyNotShipped(module.Assembly) is { } reason)
            throw new Refusal(type, type, $"{SourceNames.Of(type)}: {reason}");
        if (session.Modules.IsFull)
            throw new Refusal(type, type, "too many assemblies in one connection");
        WriteByte(0);
        var (name, version, mvid) = ModuleName.Of(module);
        WriteText(name);
        mvid.TryWriteBytes(Reserve(16));
        WriteNumber((uint)version.Major);
        WriteNumber((uint)version.Minor);
        WriteNumber((uint)Math.Max(version.Build, 0));
        WriteNumber((uint)Math.Max(version.Revision, 0));
        WriteText(session.WithPaths ? module.Assembly.Location : "");
        session.Modules.Add(module);
    }
}
