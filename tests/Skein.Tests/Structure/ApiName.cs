using System.Reflection;

namespace Skein.Tests.Structure;

/// <summary>Types as C# writes them: keywords, generic arguments, tuples, and the question marks of nullable references.</summary>
static class ApiName
{
    static readonly Dictionary<string, string> Keywords =
        """
        void Void object Object string String bool Boolean char Char byte Byte sbyte SByte short Int16 ushort UInt16 int Int32
        uint UInt32 long Int64 ulong UInt64 nint IntPtr nuint UIntPtr float Single double Double decimal Decimal
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Chunk(2).ToDictionary(pair => $"System.{pair[1]}", pair => pair[0]);

    public static string Of(Type type) => Of(type, null);

    public static string Of(ParameterInfo parameter) => Of(parameter.ParameterType, new NullabilityInfoContext().Create(parameter));

    public static string Of(PropertyInfo property) => Of(property.PropertyType, new NullabilityInfoContext().Create(property));

    public static string Of(FieldInfo field) => Of(field.FieldType, new NullabilityInfoContext().Create(field));

    /// <summary>The name alone, without type parameters.</summary>
    public static string Simple(Type type) => type.Name.Split('`')[0];

    static string Of(Type type, NullabilityInfo? nullability)
    {
        if (type.IsByRef)
            return Of(type.GetElementType()!, nullability);
        if (Nullable.GetUnderlyingType(type) is { } value)
            return $"{Of(value)}?";
        // Of a type parameter the context says "nullable" whenever its argument might be: only what is written counts.
        var mark = nullability is { ReadState: NullabilityState.Nullable } && !type.IsValueType && !type.IsGenericParameter ? "?" : "";
        return Plain(type, nullability) + mark;
    }

    static string Plain(Type type, NullabilityInfo? nullability)
    {
        if (Keywords.TryGetValue(type.FullName ?? "", out var keyword))
            return keyword;
        if (type.IsArray)
            return $"{Of(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (type.IsPointer)
            return $"{Of(type.GetElementType()!)}*";
        if (type.IsGenericParameter)
            return type.Name;

        var outer = type.DeclaringType is { } declaring ? $"{Simple(declaring)}." : "";
        if (!type.IsGenericType)
            return outer + type.Name;

        var known = nullability?.GenericTypeArguments;
        var arguments = string.Join(", ", type.GetGenericArguments()
            .Select((argument, i) => Of(argument, known is not null && i < known.Length ? known[i] : null)));
        return type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true ? $"({arguments})" : $"{outer}{Simple(type)}<{arguments}>";
    }
}
