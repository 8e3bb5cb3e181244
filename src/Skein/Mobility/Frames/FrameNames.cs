using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>Methods and locals of state machines by the names that they have in source code.</summary>
static class FrameNames
{
    /// <summary><c>Flow.Step()</c>; of a local function its own name, of a lambda that of the method it stands in.</summary>
    public static string Of(Type stateMachine)
    {
        var method = MethodOf(stateMachine.Name);
        return ClassOf(stateMachine) is { } type ? $"{SourceNames.Of(type)}.{method}" : method;
    }

    /// <summary>The class that the function stands in.</summary>
    public static Type? ClassOf(Type stateMachine)
    {
        var type = stateMachine.DeclaringType;
        while (type is not null && type.Name.StartsWith('<'))
            type = type.DeclaringType;   // a closure
        return type;
    }

    /// <summary>What an awaiter waits for: <c>Task&lt;int&gt;</c>.</summary>
    public static string OfAwaited(Type awaiter)
    {
        var name = awaiter.Name;
        var arguments = awaiter.IsGenericType ? $"<{string.Join(", ", awaiter.GetGenericArguments().Select(SourceNames.Of))}>" : "";
        if (name.Contains("ValueTaskAwaiter", StringComparison.Ordinal))
            return "ValueTask" + arguments;
        if (name.Contains("TaskAwaiter", StringComparison.Ordinal))
            return "Task" + arguments;
        return name.StartsWith("YieldAwaiter", StringComparison.Ordinal) ? "Task.Yield()" : SourceNames.Of(awaiter);
    }

    /// <summary>The locals and parameters of a state machine; those that a lambda captured too.</summary>
    public static IEnumerable<(string Edge, object? Value)> Locals(object stateMachine)
    {
        foreach (var field in stateMachine.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            var value = field.GetValue(stateMachine);
            if (value is null || field.Name is "<>1__state" or "<>t__builder")
                continue;
            var name = SourceNames.OfField(field.Name);
            if (name is null && value is not IAsyncStateMachine && value.GetType().Name.StartsWith("<>c__DisplayClass", StringComparison.Ordinal))
            {
                foreach (var captured in Locals(value))
                    yield return captured;
            }
            else
            {
                yield return (name switch
                {
                    "this" => "this",
                    null when value is IMobileAwaiter => "",
                    null => field.Name.Contains("wrap", StringComparison.Ordinal) || field.Name.StartsWith("<>s", StringComparison.Ordinal) ? "local of the compiler's" : "",
                    _ => $"local '{name}'",
                }, value);
            }
        }
    }

    /// <summary>Those of them that source code names, also such that are null.</summary>
    public static IEnumerable<(string Name, object? Value)> Variables(object stateMachine)
    {
        foreach (var field in stateMachine.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.Name is "<>1__state" or "<>t__builder")
                continue;
            var value = field.GetValue(stateMachine);
            if (SourceNames.OfField(field.Name) is { } name)
            {
                yield return (name, value);
            }
            else if (value is not (null or IAsyncStateMachine) && value.GetType().Name.StartsWith("<>c__DisplayClass", StringComparison.Ordinal))
            {
                foreach (var captured in Variables(value))
                    yield return captured;
            }
        }
    }

    /// <summary>The calls that a function waits for.</summary>
    public static IEnumerable<MobileFrame> Awaited(object stateMachine)
    {
        foreach (var field in stateMachine.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.FieldType.IsAssignableTo(typeof(IMobileAwaiter)) && field.GetValue(stateMachine) is IMobileAwaiter { Callee: { } callee })
                yield return callee;
        }
    }

    /// <summary>Who waits for a call, its result or what it threw.</summary>
    public static IEnumerable<(string Edge, object? Value)> Links(MobileFrame frame)
    {
        for (var type = frame.GetType().BaseType; type is not null && type != typeof(object); type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                yield return (field.Name == "_result" ? "result" : "", field.GetValue(frame));
        }
    }

    /// <summary><c>&lt;Step&gt;d__3</c>, <c>&lt;&lt;Run&gt;g__Local|2_0&gt;d</c>, <c>&lt;&lt;Run&gt;b__0&gt;d</c>.</summary>
    public static string MethodOf(string name)
    {
        var local = name.IndexOf(">g__", StringComparison.Ordinal);
        if (local >= 0 && name.IndexOf('|', local) is > 0 and var bar)
            return $"{name[(local + 4)..bar]}()";
        var lambda = name.IndexOf(">b__", StringComparison.Ordinal);
        if (lambda > 0)
            return $"lambda in {name[..lambda].TrimStart('<')}()";
        var end = name.IndexOf('>', StringComparison.Ordinal);
        return end > 1 ? $"{name[..end].TrimStart('<')}()" : name;
    }
}
