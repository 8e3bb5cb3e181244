using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Text;
using System.Text.RegularExpressions;

namespace Skein;

/// <summary>
/// What a function does, as text: its instructions, with the names of what they refer to in place of tokens, which differ from build to build.
/// The places that the compiler numbers its own classes and methods by are left out: they shift when something is added before.
/// </summary>
static partial class FunctionText
{
    const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(null)!).ToDictionary(static code => (int)(ushort)code.Value);

    public static string Of(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body || body.GetILAsByteArray() is not { } il)
            return "";
        var text = new StringBuilder();
        foreach (var local in body.LocalVariables)
            text.Append(Name(local.LocalType)).Append(local.IsPinned ? " pinned;" : ";");
        foreach (var clause in body.ExceptionHandlingClauses)
        {
            text.Append($"\n{clause.Flags} {clause.TryOffset} {clause.TryLength} {clause.HandlerOffset} {clause.HandlerLength} ");
            if (clause.Flags == ExceptionHandlingClauseOptions.Clause && clause.CatchType is { } caught)
                text.Append(Name(caught));
            else if (clause.Flags == ExceptionHandlingClauseOptions.Filter)
                text.Append(clause.FilterOffset);
        }
        for (var at = 0; at < il.Length;)
        {
            var code = Codes[il[at] == 0xFE ? 0xFE00 | il[at + 1] : il[at]];
            at += code.Size;
            var size = OperandSize(code.OperandType, il.AsSpan(at));
            text.Append('\n').Append(code.Name).Append(' ').Append(Operand(method, code.OperandType, il.AsSpan(at, size)));
            at += size;
        }
        return text.ToString();
    }

    /// <summary>The fields that travel, in their order.</summary>
    public static string FieldsOf(Type type) => string.Join("; ", Field.InfosOf(type).Select(static field => $"{field.Name}: {Name(field.FieldType)}"));

    /// <summary>All methods of a class that the compiler has made.</summary>
    public static string MethodsOf(Type type) =>
        string.Join('\n', type.GetMethods(Everything).Select(static method => $"{Signature(method)}\n{Of(method)}").Order(StringComparer.Ordinal));

    public static string Signature(MethodInfo method) =>
        $"{Name(method.ReturnType)} {Stable(method.Name)}`{(method.IsGenericMethod ? method.GetGenericArguments().Length : 0)}({string.Join(", ", method.GetParameters().Select(static parameter => Name(parameter.ParameterType)))})";

    /// <summary>Without the places in a class or method.</summary>
    public static string Stable(string name) => name.StartsWith('<') || name.Contains('>') ? Ordinal().Replace(name, "#") : name;

    static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return $"{(type.DeclaringMethod is null ? "!" : "!!")}{type.GenericParameterPosition}";
        if (type.HasElementType)
            return Name(type.GetElementType()!) + (type.IsSZArray ? "[]" : type.IsArray ? $"[{type.GetArrayRank()}]" : type.IsByRef ? "&" : "*");
        var definition = type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type;
        var name = definition.DeclaringType is { } outer ? $"{Name(outer)}+{Stable(definition.Name)}" : $"[{definition.Assembly.GetName().Name}]{definition.FullName ?? definition.Name}";
        return type.IsConstructedGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }

    static string Name(MemberInfo? member) => member switch
    {
        Type type => Name(type),
        FieldInfo field => $"{Name(field.FieldType)} {Name(field.DeclaringType!)}::{Stable(field.Name)}",
        MethodInfo method => $"{Name(method.DeclaringType!)}::{Signature(method)}{(method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "")}",
        ConstructorInfo constructor => $"{Name(constructor.DeclaringType!)}::new({string.Join(", ", constructor.GetParameters().Select(static parameter => Name(parameter.ParameterType)))})",
        _ => "",
    };

    static string Operand(MethodBase method, OperandType kind, ReadOnlySpan<byte> bytes)
    {
        switch (kind)
        {
            case OperandType.InlineString:
                return method.Module.ResolveString(BinaryPrimitives.ReadInt32LittleEndian(bytes));
            case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
                return Name(method.Module.ResolveMember(BinaryPrimitives.ReadInt32LittleEndian(bytes), ofType, method.IsGenericMethod ? method.GetGenericArguments() : null));
            case OperandType.InlineSig:
                return Convert.ToHexString(method.Module.ResolveSignature(BinaryPrimitives.ReadInt32LittleEndian(bytes)));
            default:
                return Convert.ToHexString(bytes);
        }
    }

    static int OperandSize(OperandType kind, ReadOnlySpan<byte> rest) => kind switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(rest)),
        _ => 4,
    };

    // <Step>d__3, <>c__DisplayClass2_0, <Run>b__1_0, <>9__1_0, <Run>g__Local|2_0
    [GeneratedRegex(@"(?<=d__|DisplayClass|b__|9__|g__\w+\|)\d+(_\d+)?")] private static partial Regex Ordinal();
}
