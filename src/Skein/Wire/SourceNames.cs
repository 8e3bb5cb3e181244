namespace Skein;

/// <summary>Types and fields by the names that they have in source code.</summary>
static class SourceNames
{
    public static string Of(Type type)
    {
        if (type.IsArray)
            return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        var name = type.Name;
        var tick = name.IndexOf('`', StringComparison.Ordinal);
        if (tick >= 0)
            name = name[..tick];
        if (name.StartsWith('<') && name.IndexOf('>', StringComparison.Ordinal) is > 1 and var end)
            return $"{name[1..end]}()";
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>" : name;
    }

    /// <summary>Null for what the compiler made and no source names: such a step is left out of a path.</summary>
    public static string? OfField(string name)
    {
        if (name == "<>4__this")
            return "this";
        if (name.StartsWith("CS$<>", StringComparison.Ordinal) || name.StartsWith("<>8__", StringComparison.Ordinal) || name.StartsWith("<>", StringComparison.Ordinal))
            return null;
        if (name.StartsWith('<') && name.IndexOf('>', StringComparison.Ordinal) is > 1 and var end)
            return name[1..end];   // a property, a local of an iterator, a parameter of a primary constructor
        return name;
    }
}
