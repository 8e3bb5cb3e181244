namespace Skein;

/// <summary>A function with its arguments that is to be started as a process at another node.</summary>
abstract class MobileStart
{
    public abstract MobileProcess Start(MobileNode node, Func<MobileNode, string, MobileProcess> newHandle);
}

/// <summary>A mobile one.</summary>
/// <param name="function">Calls it.</param>
/// <param name="called">It, where that is another: of its build the process is.</param>
sealed class MobileStart<T>(Func<Mobile<T>> function, Delegate? called = null) : MobileStart
{
    public override MobileProcess Start(MobileNode node, Func<MobileNode, string, MobileProcess> newHandle) => node.Start(function, newHandle, (called ?? function).Method.Module.Assembly);
}

/// <summary>One that is known by reflection only, and returns <c>Mobile&lt;T&gt;</c>.</summary>
sealed class CalledStart<T>(Delegate function, object?[] arguments) : MobileStart
{
    public override MobileProcess Start(MobileNode node, Func<MobileNode, string, MobileProcess> newHandle) => node.Start(Call, newHandle, function.Method.Module.Assembly);

    Mobile<T> Call() => (Mobile<T>)function.Method.Invoke(function.Target, System.Reflection.BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
}

/// <summary>The same, of one that returns <c>Mobile</c>.</summary>
sealed class CalledStart(Delegate function, object?[] arguments) : MobileStart
{
    public override MobileProcess Start(MobileNode node, Func<MobileNode, string, MobileProcess> newHandle) => node.Start(Call, newHandle, function.Method.Module.Assembly);

    Mobile Call() => (Mobile)function.Method.Invoke(function.Target, System.Reflection.BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
}
