using System.Collections.Concurrent;
using System.Reflection;

namespace Skein.Cli;

/// <summary>The user's function with arguments that only the command line knew: what a worker runs.</summary>
static class FunctionCall
{
    static readonly ConcurrentDictionary<MethodInfo, InputArguments> Known = new();

    /// <summary>
    /// Calls the function with what the input says, and awaits what it promises. The arguments are made here, where they are used: so
    /// they may be what could not travel, as a FileInfo. A <see cref="RefusedInput"/> where they cannot be made.
    /// </summary>
    public static async Task<object?> InvokeAsync(Delegate function, string input)
    {
        ApplicationHook.HideFromChildren();
        object?[] arguments;
        try
        {
            arguments = Known.GetOrAdd(function.Method, static method => new(method)).Read(input);
        }
        catch (FormatException error) when (error.Data.Contains(InputArguments.Refused))
        {
            return new RefusedInput(error.Message);
        }

        var result = function.Method.Invoke(function.Target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
        switch (result)
        {
            case ValueTask promise:
                await promise.ConfigureAwait(false);
                return null;
            case Task when ResultType(function.Method) == typeof(void):
                await ((Task)result).ConfigureAwait(false);
                return null;
            default:
                var promised = function.Method.ReturnType == ResultType(function.Method) ? null : function.Method.ReturnType;
                return promised is null ? result : await AwaitAsync(promised, result!).ConfigureAwait(false);
        }
    }

    static Task<object?> AwaitAsync(Type promised, object promise) =>
        (Task<object?>)typeof(FunctionCall)
            .GetMethod(promised.GetGenericTypeDefinition() == typeof(Task<>) ? nameof(OfTaskAsync) : nameof(OfValueTaskAsync), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(promised.GenericTypeArguments)
            .Invoke(null, [promise])!;

    static async Task<object?> OfTaskAsync<T>(Task<T> promise) => await promise.ConfigureAwait(false);

    static async Task<object?> OfValueTaskAsync<T>(ValueTask<T> promise) => await promise.ConfigureAwait(false);

    /// <summary>What the function gives in the end: for a <c>Task&lt;T&gt;</c> that is T.</summary>
    public static Type ResultType(MethodInfo function)
    {
        var type = function.ReturnType;
        if (type == typeof(Task) || type == typeof(ValueTask))
            return typeof(void);
        return type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>))
            ? type.GenericTypeArguments[0]
            : type;
    }

    /// <summary>The function as a delegate, which can travel.</summary>
    public static Delegate DelegateOf(MethodInfo function) => function.CreateDelegate(
        System.Linq.Expressions.Expression.GetDelegateType([.. function.GetParameters().Select(parameter => parameter.ParameterType), function.ReturnType]));
}

/// <summary>The input does not fit the function: the message says which field. The function was not called.</summary>
sealed record RefusedInput(string Message);
