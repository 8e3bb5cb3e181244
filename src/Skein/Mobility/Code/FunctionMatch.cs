using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>The same function in another build: one that is in the middle can go on there only if its locals and its code are the same.</summary>
static class FunctionMatch
{
    const BindingFlags Nested = BindingFlags.Public | BindingFlags.NonPublic;
    const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Whether it is a state machine: of an async method, or of an iterator.</summary>
    public static bool IsFunction(Type type) => type.Name.Contains('<') && (type.IsAssignableTo(typeof(IAsyncStateMachine)) || type.IsAssignableTo(typeof(IEnumerator)));

    /// <summary>The state machine of the same function, or else why there is none.</summary>
    /// <param name="type">The state machine.</param>
    /// <param name="outer">The counterpart of the class that it stands in.</param>
    public static (Type? Same, string WhyNot) Find(Type type, Type outer)
    {
        var (name, start) = (FunctionText.Stable(type.Name), StartOf(type));
        var found = Array.FindAll(outer.GetNestedTypes(Nested), each => FunctionText.Stable(each.Name) == name && StartOf(each) == start);
        if (found.Length == 0)
            return (null, "is not in the other build");
        var text = FunctionText.Of(NextOf(type));
        if (found.Length > 1)
            found = Array.FindAll(found, each => FunctionText.Of(NextOf(each)) == text);
        if (found.Length > 1)
            found = Array.FindAll(found, each => each.Name == type.Name);
        if (found is not [var other])
            return (null, "has changed");
        if (FunctionText.FieldsOf(type) != FunctionText.FieldsOf(other))
            return (null, "has other locals");
        return FunctionText.Of(NextOf(other)) == text ? (other, "") : (null, "has changed");
    }

    static MethodInfo NextOf(Type type) => type.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)!;

    /// <summary>The method that a state machine carries out.</summary>
    static string? StartOf(Type type) => Array.Find(type.DeclaringType!.GetMethods(Declared), method => method.GetCustomAttribute<StateMachineAttribute>()?.StateMachineType == type) is { } start
        ? FunctionText.Signature(start) : null;
}
