using System.Globalization;
using System.Reflection;

namespace Skein.Cli;

/// <summary>Text to values of a type: whatever the framework or the user's type can parse by itself, in the invariant culture.</summary>
static class FieldParser
{
    /// <summary>Null for a type that cannot be made of text.</summary>
    public static Func<string, object?>? For(Type type)
    {
        if (type == typeof(string) || type == typeof(object))
            return text => text;
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return For(inner) is { } parse ? text => text.Length == 0 ? null : parse(text) : null;
        if (type == typeof(double) || type == typeof(float) || type == typeof(decimal))
            return text => text.Contains(',') ? throw new FormatException($"'{text}' has a comma; the decimal point is '.'.") : Convert.ChangeType(text, type, CultureInfo.InvariantCulture);
        if (type.IsEnum)
            return text => ParseEnum(type, text);
        if (type == typeof(Uri))
            return text => new Uri(text, UriKind.RelativeOrAbsolute);
        if (type == typeof(FileInfo))
            return text => new FileInfo(text);
        if (type == typeof(DirectoryInfo))
            return text => new DirectoryInfo(text);
        return type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IParsable<>) && i.GenericTypeArguments[0] == type)
            ? typeof(FieldParser).GetMethod(nameof(Parsed), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type).CreateDelegate<Func<string, object?>>()
            : null;
    }

    /// <summary>The type as C# calls it.</summary>
    public static string NameOf(Type type) => Type.GetTypeCode(type) switch
    {
        _ when type.IsEnum => $"{type.Name} ({string.Join(", ", Enum.GetNames(type))})",
        _ when Nullable.GetUnderlyingType(type) is { } inner => NameOf(inner) + "?",
        TypeCode.Boolean => "bool",
        TypeCode.Byte => "byte",
        TypeCode.SByte => "sbyte",
        TypeCode.Int16 => "short",
        TypeCode.UInt16 => "ushort",
        TypeCode.Int32 => "int",
        TypeCode.UInt32 => "uint",
        TypeCode.Int64 => "long",
        TypeCode.UInt64 => "ulong",
        TypeCode.Single => "float",
        TypeCode.Double => "double",
        TypeCode.Decimal => "decimal",
        TypeCode.Char => "char",
        TypeCode.String => "string",
        _ => type.Name,
    };

    // By name only: a number may be none of the type's values, and Enum.Parse takes any.
    static object ParseEnum(Type type, string text)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        if (names.Length > 1 && !type.IsDefined(typeof(FlagsAttribute), inherit: false))
            throw new FormatException($"'{text}' is more than one value.");
        return Array.TrueForAll(names, name => Enum.GetNames(type).Contains(name, StringComparer.OrdinalIgnoreCase))
            ? Enum.Parse(type, text, ignoreCase: true)
            : throw new FormatException($"'{text}' is none of its names.");
    }

    static object? Parsed<T>(string text) where T : IParsable<T> => T.Parse(text, CultureInfo.InvariantCulture);
}
