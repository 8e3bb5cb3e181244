namespace Skein;

/// <summary>
/// A function that stays with the caller: pass it to a process and the process can call it, wherever it runs.
/// <code>
/// var ask = Callback.To((string question) => Console.ReadLine());
/// await pool.RunAsync(Interview, ask);          // in the worker: await ask.InvokeAsync("Name?")
/// </code>
/// </summary>
public static class Callback
{
    /// <summary>A callback to a function of this process. It may be called by several processes at once.</summary>
    public static Callback<T, TResult> To<T, TResult>(Func<T, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new(argument => new(function(argument)));
    }

    /// <summary>A callback without a result.</summary>
    public static Callback<T, Nothing> To<T>(Action<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new(argument =>
        {
            function(argument);
            return default;
        });
    }

    /// <inheritdoc cref="To{T, TResult}(Func{T, TResult})"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public static Callback<T, TResult> To<T, TResult>(Func<T, Task<TResult>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new(argument => new(function(argument)));
    }
}

/// <summary>A function that stays with the caller. Made by <see cref="Callback.To{T, TResult}(Func{T, TResult})"/>.</summary>
public sealed class Callback<T, TResult> : CallbackTarget
{
    readonly Func<T, ValueTask<TResult>> _function;

    internal Callback(Func<T, ValueTask<TResult>> function) => _function = function;

    /// <summary>Calls the function where it lives and waits for its result.</summary>
    /// <exception cref="Exception">What the function threw there.</exception>
    public ValueTask<TResult> InvokeAsync(T argument) => _function(argument);

    internal override Func<Task<byte[]>> Read(GraphReader reader)
    {
        var argument = reader.Read<T>();
        reader.End();
        try
        {
            reader.Finish();   // runs code of the application's (the hashing of keys): a part of the function
        }
        catch (Exception error)
        {
            return () => Task.FromResult(Answer.Of(error));
        }

        return () => AnswerAsync(argument);
    }

    async Task<byte[]> AnswerAsync(T argument)
    {
        try
        {
            return Answer.Of(await _function(argument).ConfigureAwait(false));
        }
        catch (Exception error)
        {
            return Answer.Of(error);
        }
    }

    internal override object StandIn(WorkerReferences worker, int number)
    {
        var call = worker.Call;
        return new Callback<T, TResult>(async argument =>
            Answer.Read<TResult>(await worker.CallAsync(call, number, argument).ConfigureAwait(false)));
    }
}

/// <summary>What a connection knows of a callback without knowing its types. Not for use outside of the library.</summary>
public abstract class CallbackTarget
{
    private protected CallbackTarget() { }

    /// <summary>Reads the argument of a call, and returns what calls the function and gives its answer.</summary>
    internal abstract Func<Task<byte[]>> Read(GraphReader reader);

    internal abstract object StandIn(WorkerReferences worker, int number);
}
