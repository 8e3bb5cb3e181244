namespace Skein;

// The shapes of functions: no, one or two arguments; with a result or without; synchronous, Task or ValueTask. More arguments go as
// a tuple. The priorities decide for async lambdas, which would fit several shapes: a Task is what they make.
public partial class Place
{
    /// <summary>Starts a function here, as a process. Returns when it runs.</summary>
    /// <exception cref="CannotTravelException">The function or an argument holds something that cannot leave this process; the message has the path to it.</exception>
    /// <exception cref="PlaceException">The place cannot run it at the moment.</exception>
    public Task<Process<TResult>> StartAsync<TResult>(Func<TResult> function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new SyncJob<TResult>(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(2)]
    public Task<Process<TResult>> StartAsync<TResult>(Func<Task<TResult>> function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new TaskJob<TResult>(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public Task<Process<TResult>> StartAsync<TResult>(Func<ValueTask<TResult>> function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new ValueTaskJob<TResult>(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    public Task<Process<Nothing>> StartAsync(Action function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new ActionJob(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public Task<Process<Nothing>> StartAsync(Func<Task> function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new AsyncActionJob(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    public Task<Process<TResult>> StartAsync<T, TResult>(Func<T, TResult> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new SyncJob<T, TResult>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(2)]
    public Task<Process<TResult>> StartAsync<T, TResult>(Func<T, Task<TResult>> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new TaskJob<T, TResult>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public Task<Process<TResult>> StartAsync<T, TResult>(Func<T, ValueTask<TResult>> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new ValueTaskJob<T, TResult>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    public Task<Process<Nothing>> StartAsync<T>(Action<T> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new ActionJob<T>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public Task<Process<Nothing>> StartAsync<T>(Func<T, Task> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new AsyncActionJob<T>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    public Task<Process<TResult>> StartAsync<T1, T2, TResult>(Func<T1, T2, TResult> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new SyncJob<T1, T2, TResult>(function, first, second), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(2)]
    public Task<Process<TResult>> StartAsync<T1, T2, TResult>(Func<T1, T2, Task<TResult>> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new TaskJob<T1, T2, TResult>(function, first, second), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public Task<Process<TResult>> StartAsync<T1, T2, TResult>(Func<T1, T2, ValueTask<TResult>> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new ValueTaskJob<T1, T2, TResult>(function, first, second), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    public Task<Process<Nothing>> StartAsync<T1, T2>(Action<T1, T2> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new ActionJob<T1, T2>(function, first, second), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{TResult}, ProcessOptions, CancellationToken)"/>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public Task<Process<Nothing>> StartAsync<T1, T2>(Func<T1, T2, Task> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new AsyncActionJob<T1, T2>(function, first, second), options, cancellation);

    /// <summary>Starts a mobile function here, as a process that may go on elsewhere. Returns when it runs.</summary>
    /// <exception cref="CannotTravelException">The function or an argument holds something that cannot leave this process; the message has the path to it.</exception>
    /// <exception cref="PlaceException">The place cannot run it at the moment.</exception>
    public Task<Process<TResult>> StartAsync<TResult>(Func<Mobile<TResult>> function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new MobileFunctionJob<TResult>(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{Mobile{TResult}}, ProcessOptions, CancellationToken)"/>
    public Task<Process<Nothing>> StartAsync(Func<Mobile> function, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new MobileActionJob(function), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{Mobile{TResult}}, ProcessOptions, CancellationToken)"/>
    public Task<Process<TResult>> StartAsync<T, TResult>(Func<T, Mobile<TResult>> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new MobileFunctionJob<T, TResult>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{Mobile{TResult}}, ProcessOptions, CancellationToken)"/>
    public Task<Process<Nothing>> StartAsync<T>(Func<T, Mobile> function, T argument, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new MobileActionJob<T>(function, argument), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{Mobile{TResult}}, ProcessOptions, CancellationToken)"/>
    public Task<Process<TResult>> StartAsync<T1, T2, TResult>(Func<T1, T2, Mobile<TResult>> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new MobileFunctionJob<T1, T2, TResult>(function, first, second), options, cancellation);

    /// <inheritdoc cref="StartAsync{TResult}(Func{Mobile{TResult}}, ProcessOptions, CancellationToken)"/>
    public Task<Process<Nothing>> StartAsync<T1, T2>(Func<T1, T2, Mobile> function, T1 first, T2 second, ProcessOptions? options = null, CancellationToken cancellation = default) =>
        StartAsync(new MobileActionJob<T1, T2>(function, first, second), options, cancellation);
}
