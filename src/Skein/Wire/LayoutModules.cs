using System.Reflection;

namespace Skein;

/// <summary>
/// Objects of a declared class, and structs inside of others, are written without naming their types. The modules of these types are
/// announced instead, once in a connection, so that a field that moved in one of them is noticed.
/// </summary>
static class LayoutModules
{
    public static Module[] Of(Type type)
    {
        var modules = new List<Module>();
        Visit(type, modules, []);
        return modules.ToArray();
    }

    static void Visit(Type type, List<Module> modules, HashSet<Type> seen)
    {
        if (type.IsPrimitive || !seen.Add(type))
            return;
        if (type.HasElementType)
        {
            VisitValue(type.GetElementType()!, modules, seen);
            return;
        }
        if (type.IsGenericType)
        {
            foreach (var argument in type.GetGenericArguments())
                VisitValue(argument, modules, seen);
        }
        for (var at = type; at is not null && !TypePolicy.IsFramework(at.Assembly); at = at.BaseType)
        {
            if (!modules.Contains(at.Module))
                modules.Add(at.Module);
            foreach (var field in at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                VisitValue(field.FieldType, modules, seen);
        }
    }

    static void VisitValue(Type type, List<Module> modules, HashSet<Type> seen)
    {
        if (type.IsValueType)
            Visit(type, modules, seen);
    }
}
