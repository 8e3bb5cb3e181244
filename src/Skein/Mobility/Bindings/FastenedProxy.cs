using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Skein;

/// <summary>An interface whose calls go to the object's node.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "The runtime derives from it.")]
class FastenedProxy : DispatchProxy
{
    static readonly MethodInfo Asking = typeof(FastenedProxy).GetMethod(nameof(Ask), BindingFlags.Instance | BindingFlags.NonPublic)!;

    public FastenedAddress Address { get; private set; } = null!;

    public static object Of(Type contract, FastenedAddress address)
    {
        var proxy = (FastenedProxy)Create(contract, typeof(FastenedProxy));
        proxy.Address = address;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var method = targetMethod!;
        if (Array.Exists(method.GetParameters(), static parameter => parameter.ParameterType.IsByRef))
            throw new NotSupportedException($"{SourceNames.Of(method.DeclaringType!)}.{method.Name} has a parameter by reference, which cannot be called at another node.");
        var returned = method.ReturnType;
        var isTask = returned == typeof(Task) || returned == typeof(ValueTask);
        var isTaskOf = returned.IsGenericType && (returned.GetGenericTypeDefinition() == typeof(Task<>) || returned.GetGenericTypeDefinition() == typeof(ValueTask<>));
        var result = isTaskOf ? returned.GetGenericArguments()[0] : isTask || returned == typeof(void) ? typeof(object) : returned;
        return Asking.MakeGenericMethod(result).Invoke(this, BindingFlags.DoNotWrapExceptions, null, [method, args ?? []], null);
    }

    object? Ask<T>(MethodInfo method, object?[] arguments)
    {
        var task = Address.CallAsync(new MemberCall<T>(
            method.DeclaringType!, method.MetadataToken & 0xFFFFFF, method.IsGenericMethod ? method.GetGenericArguments() : [], arguments));
        var returned = method.ReturnType;
        if (returned.IsAssignableTo(typeof(Task)))
            return task;
        if (returned == typeof(ValueTask))
            return new ValueTask(task);
        if (returned == typeof(ValueTask<T>))
            return new ValueTask<T>(task);
        return task.GetAwaiter().GetResult();   // the caller's thread waits, as it would for the object itself
    }
}
