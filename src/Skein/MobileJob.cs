namespace Skein;

/// <summary>A mobile function with its arguments. At a node it is a mobile process; elsewhere it runs as one that has nowhere to go.</summary>
abstract class MobileJob<TResult> : Job<TResult>
{
    static readonly Lazy<MobileNode> Nowhere = new(static () => new($"process-{Environment.ProcessId}"));

    public abstract Mobile<TResult> Call();

    public sealed override async ValueTask<TResult> InvokeAsync()
    {
        var process = Nowhere.Value.Start(Call);
        using var stop = Here.Stopping.UnsafeRegister(_ => process.Stop(), null);
        return await process.Completion.ConfigureAwait(false);
    }
}

sealed class MobileFunctionJob<TResult>(Func<Mobile<TResult>> function) : MobileJob<TResult>
{
    public override Delegate Function => function;

    public override Mobile<TResult> Call() => function();
}

sealed class MobileFunctionJob<T, TResult>(Func<T, Mobile<TResult>> function, T argument) : MobileJob<TResult>
{
    public override Delegate Function => function;

    public override Mobile<TResult> Call() => function(argument);
}

sealed class MobileFunctionJob<T1, T2, TResult>(Func<T1, T2, Mobile<TResult>> function, T1 first, T2 second) : MobileJob<TResult>
{
    public override Delegate Function => function;

    public override Mobile<TResult> Call() => function(first, second);
}

/// <summary>The same without a result.</summary>
sealed class MobileActionJob(Func<Mobile> function) : MobileJob<Nothing>
{
    public override Delegate Function => function;

    public override async Mobile<Nothing> Call()
    {
        await function();
        return default;
    }
}

sealed class MobileActionJob<T>(Func<T, Mobile> function, T argument) : MobileJob<Nothing>
{
    public override Delegate Function => function;

    public override async Mobile<Nothing> Call()
    {
        await function(argument);
        return default;
    }
}

sealed class MobileActionJob<T1, T2>(Func<T1, T2, Mobile> function, T1 first, T2 second) : MobileJob<Nothing>
{
    public override Delegate Function => function;

    public override async Mobile<Nothing> Call()
    {
        await function(first, second);
        return default;
    }
}

/// <summary>An ordinary function as a mobile process: it runs on a thread of its own where it was started, and until it has ended the process stays.</summary>
sealed class OrdinaryFunction<TResult>(Job<TResult> job) : INamedFunction
{
    public string FunctionName => job.Function.Method.Name;

    public async Mobile<TResult> Run()
    {
        var context = new HereContext(Here.Id!, Here.Stopping);
        return await Task.Factory.StartNew(
            () =>
            {
                Here.Enter(context);
                return job.InvokeAsync().AsTask();
            }, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default).Unwrap().ConfigureAwait(false);
    }
}
