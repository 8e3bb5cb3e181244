using System.Linq.Expressions;
using System.Reflection;

namespace Skein;

/// <summary>A mobile function that is known by reflection, with its arguments.</summary>
static class CalledFunction
{
    /// <exception cref="ArgumentException">It is none, or has other parameters.</exception>
    public static MobileStart Of(MethodInfo function, IReadOnlyList<object?> arguments)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(arguments);
        var result = function.ReturnType;
        var hasResult = result.IsGenericType && result.GetGenericTypeDefinition() == typeof(Mobile<>);
        if (!function.IsStatic || function.ContainsGenericParameters || !(hasResult || result == typeof(Mobile)))
            throw new ArgumentException($"{function.Name} is no static function that returns Mobile or Mobile<T>, with types that are known.", nameof(function));
        var parameters = function.GetParameters();
        if (parameters.Length != arguments.Count)
            throw new ArgumentException($"{function.Name} takes {parameters.Length} arguments, and there are {arguments.Count}.", nameof(arguments));
        var called = function.CreateDelegate(Expression.GetDelegateType([.. parameters.Select(static parameter => parameter.ParameterType), result]));
        object?[] all = [.. arguments];
        return hasResult
            ? (MobileStart)Activator.CreateInstance(typeof(CalledStart<>).MakeGenericType(result.GenericTypeArguments), called, all)!
            : new CalledStart(called, all);
    }
}
