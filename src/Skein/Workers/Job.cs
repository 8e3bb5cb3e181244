using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// A function with its arguments: what travels to a worker, as an object graph, and is executed there. One small class for each shape of
/// function, so that nothing is looked up by reflection when it runs.
/// </summary>
abstract class Job
{
    /// <summary>Runs the function to its end on the calling thread and returns its result to the caller.</summary>
    /// <exception cref="Exception">What the function threw, or a <see cref="CannotTravelException"/> for its result.</exception>
    public abstract void Execute(in Reply reply);

    /// <summary>What it calls.</summary>
    public abstract Delegate Function { get; }

    /// <exception cref="ArgumentNullException">It was made without a function.</exception>
    public void RequireFunction() => ArgumentNullException.ThrowIfNull(Function, "function");

    /// <summary>Loads and compiles what executing such a job needs, and executes nothing of the application's.</summary>
    public virtual void Rehearse(in Reply reply)
    {
        foreach (var own in GetType().GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Where(method => method.Name is nameof(Execute) or "InvokeAsync"))
            Prepare(own);
        Prepare(Function.Method);
    }

    /// <summary>One that calls the same function without the arguments, for <see cref="Rehearse"/>.</summary>
    public Job Blank()
    {
        var blank = (Job)RuntimeHelpers.GetUninitializedObject(GetType());
        foreach (var field in GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Where(field => ReferenceEquals(field.GetValue(this), Function)))
            field.SetValue(blank, Function);
        return blank;
    }

    static void Prepare(MethodInfo method)
    {
        RuntimeTypeHandle[] arguments = [.. method.DeclaringType!.GetGenericArguments().Concat(method.GetGenericArguments()).Select(type => type.TypeHandle)];
        if (!method.IsAbstract)
            RuntimeHelpers.PrepareMethod(method.MethodHandle, arguments);
    }
}

/// <summary>A job with a result.</summary>
abstract class Job<TResult> : Job
{
    /// <summary>Starts the function on the calling thread.</summary>
    public abstract ValueTask<TResult> InvokeAsync();

    public sealed override void Execute(in Reply reply) => Return(InvokeAsync(), reply);

    public sealed override void Rehearse(in Reply reply)
    {
        base.Rehearse(reply);
        Return(new(default(TResult)!), reply);
    }

    static void Return(ValueTask<TResult> running, in Reply reply) =>
        reply.Return(running.IsCompletedSuccessfully ? running.Result : running.AsTask().GetAwaiter().GetResult());
}

sealed class SyncJob<TResult>(Func<TResult> function) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => new(function());
}

sealed class SyncJob<T, TResult>(Func<T, TResult> function, T argument) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => new(function(argument));
}

sealed class SyncJob<T1, T2, TResult>(Func<T1, T2, TResult> function, T1 first, T2 second) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => new(function(first, second));
}

sealed class TaskJob<TResult>(Func<Task<TResult>> function) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => new(function());
}

sealed class TaskJob<T, TResult>(Func<T, Task<TResult>> function, T argument) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => new(function(argument));
}

sealed class TaskJob<T1, T2, TResult>(Func<T1, T2, Task<TResult>> function, T1 first, T2 second) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => new(function(first, second));
}

sealed class ValueTaskJob<TResult>(Func<ValueTask<TResult>> function) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => function();
}

sealed class ValueTaskJob<T, TResult>(Func<T, ValueTask<TResult>> function, T argument) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => function(argument);
}

sealed class ValueTaskJob<T1, T2, TResult>(Func<T1, T2, ValueTask<TResult>> function, T1 first, T2 second) : Job<TResult>
{
    public override Delegate Function => function;

    public override ValueTask<TResult> InvokeAsync() => function(first, second);
}

/// <summary>A function without a result: <see cref="Nothing"/> stands for it.</summary>
sealed class ActionJob(Action function) : Job<Nothing>
{
    public override Delegate Function => function;

    public override ValueTask<Nothing> InvokeAsync()
    {
        function();
        return default;
    }
}

sealed class ActionJob<T>(Action<T> function, T argument) : Job<Nothing>
{
    public override Delegate Function => function;

    public override ValueTask<Nothing> InvokeAsync()
    {
        function(argument);
        return default;
    }
}

sealed class ActionJob<T1, T2>(Action<T1, T2> function, T1 first, T2 second) : Job<Nothing>
{
    public override Delegate Function => function;

    public override ValueTask<Nothing> InvokeAsync()
    {
        function(first, second);
        return default;
    }
}

/// <summary>An asynchronous function without a result.</summary>
sealed class AsyncActionJob(Func<Task> function) : Job<Nothing>
{
    public override Delegate Function => function;

    public override async ValueTask<Nothing> InvokeAsync()
    {
        await function().ConfigureAwait(false);
        return default;
    }
}

sealed class AsyncActionJob<T>(Func<T, Task> function, T argument) : Job<Nothing>
{
    public override Delegate Function => function;

    public override async ValueTask<Nothing> InvokeAsync()
    {
        await function(argument).ConfigureAwait(false);
        return default;
    }
}

sealed class AsyncActionJob<T1, T2>(Func<T1, T2, Task> function, T1 first, T2 second) : Job<Nothing>
{
    public override Delegate Function => function;

    public override async ValueTask<Nothing> InvokeAsync()
    {
        await function(first, second).ConfigureAwait(false);
        return default;
    }
}

/// <summary>The result of a function that has none.</summary>
public readonly record struct Nothing;
