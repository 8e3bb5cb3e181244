using System.Reflection;

namespace Skein;

/// <summary>A call of a function that has changed, and the function of the other build that goes on with it: <see cref="MigratesAttribute"/>.</summary>
sealed record Migration(IMigratedFrame Frame, MethodInfo Function, object?[] Arguments)
{
    const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Null where there is none that fits.</summary>
    /// <param name="frame">The call.</param>
    /// <param name="type">The class of the other build that the function was in.</param>
    /// <param name="why">Why not.</param>
    public static Migration? Find(IMigratedFrame frame, Type type, out string why)
    {
        var old = frame.Old;
        var version = old.Function.Assembly.GetName().Version?.ToString();
        var all = Array.FindAll(type.GetMethods(Declared), method => method.GetCustomAttributes<MigratesAttribute>().Any(IsMeant));
        var fitting = new List<Migration>();
        why = "";
        foreach (var method in all)
        {
            var arguments = Array.Empty<object?>();
            if ((WhyNotCallable(method, frame) ?? Bind(method, old, out arguments)) is not { } whyNot)
                fitting.Add(new(frame, method, arguments));
            else
                why = $", and {SourceNames.Of(type)}.{method.Name}() cannot go on with it: {whyNot}";
        }
        if (fitting.Count > 1)
            why = $", and several functions go on with it: {string.Join(", ", fitting.Select(static one => one.Function.Name))}";
        return fitting is [var only] ? only : null;

        bool IsMeant(MigratesAttribute migrates) =>
            $"{migrates.Function}()" == FrameNames.MethodOf(old.Function.Name) && migrates.Await == old.Await && (migrates.From is null || migrates.From == version);
    }

    /// <summary>Calls it. What it throws before it waits keeps the process where it is.</summary>
    /// <exception cref="CannotArriveException">It has thrown.</exception>
    public void Call()
    {
        try
        {
            Frame.Call(Function, Arguments);
        }
        catch (Exception e)
        {
            throw new CannotArriveException($"It cannot go on in the other build: {SourceNames.Of(Function.DeclaringType!)}.{Function.Name}(), which is to go on with {FrameNames.Of(Frame.Old.Function)}, threw {e.GetType().Name}: {e.Message}", e);
        }
    }

    static string? WhyNotCallable(MethodInfo method, IMigratedFrame frame)
    {
        if (!method.IsStatic || method.ContainsGenericParameters)
            return "it must be static, and not generic";
        if (method.ReturnType != frame.Called)
            return $"it returns {SourceNames.Of(method.ReturnType)}, and not {SourceNames.Of(frame.Called)}";
        var awaited = frame.Old.Callee!.ToCall().GetType();
        return method.GetParameters() is [var first, ..] && first.ParameterType == awaited ? null
            : $"its first parameter must be what the old call waits for, a {SourceNames.Of(awaited)}";
    }

    static string? Bind(MethodInfo method, OldCall old, out object?[] arguments)
    {
        var parameters = method.GetParameters();
        arguments = new object?[parameters.Length];
        arguments[0] = old.Callee!.ToCall();
        for (var i = 1; i < parameters.Length; i++)
        {
            var name = parameters[i].Name!;
            switch (old.Locals(name).ToList())
            {
                case []:
                    return $"'{name}' is no local of the old function, or none that it keeps while it waits";
                case [var local]:
                    if (local.Type != parameters[i].ParameterType)
                        return $"'{name}' is a {SourceNames.Of(local.Type)} in the old function";
                    arguments[i] = local.Value;
                    break;
                default:
                    return $"the old function has several locals '{name}'";
            }
        }
        return null;
    }
}
