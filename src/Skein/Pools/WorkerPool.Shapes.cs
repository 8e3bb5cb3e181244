using System.Runtime.CompilerServices;

namespace Skein;

// The shapes of functions, as in Place.Shapes.cs.
public sealed partial class WorkerPool
{
    /// <summary>
    /// Runs a function in a worker. Its arguments are read when it is sent: do not change them before it has ended.
    /// </summary>
    /// <param name="cancellation">Cancelled: a task that waits is given up; one that runs is asked to stop (<see cref="Here.Stopping"/>), and its worker killed after the grace period.</param>
    /// <exception cref="CannotTravelException">The function, an argument or the result holds something that cannot leave its process.</exception>
    /// <exception cref="ProcessLostException">Its worker died.</exception>
    /// <exception cref="TimeoutException">It took longer than <see cref="PoolOptions.TaskTimeout"/>.</exception>
    /// <exception cref="PoolFullException">Too many tasks wait already.</exception>
    public Task<TResult> RunAsync<TResult>(Func<TResult> function, CancellationToken cancellation = default) =>
        RunAsync(new SyncJob<TResult>(function), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public Task<TResult> RunAsync<TResult>(Func<Task<TResult>> function, CancellationToken cancellation = default) =>
        RunAsync(new TaskJob<TResult>(function), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task<TResult> RunAsync<TResult>(Func<ValueTask<TResult>> function, CancellationToken cancellation = default) =>
        RunAsync(new ValueTaskJob<TResult>(function), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    public Task RunAsync(Action function, CancellationToken cancellation = default) =>
        RunAsync(new ActionJob(function), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task RunAsync(Func<Task> function, CancellationToken cancellation = default) =>
        RunAsync(new AsyncActionJob(function), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    public Task<TResult> RunAsync<T, TResult>(Func<T, TResult> function, T argument, CancellationToken cancellation = default) =>
        RunAsync(new SyncJob<T, TResult>(function, argument), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public Task<TResult> RunAsync<T, TResult>(Func<T, Task<TResult>> function, T argument, CancellationToken cancellation = default) =>
        RunAsync(new TaskJob<T, TResult>(function, argument), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task<TResult> RunAsync<T, TResult>(Func<T, ValueTask<TResult>> function, T argument, CancellationToken cancellation = default) =>
        RunAsync(new ValueTaskJob<T, TResult>(function, argument), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    public Task RunAsync<T>(Action<T> function, T argument, CancellationToken cancellation = default) =>
        RunAsync(new ActionJob<T>(function, argument), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task RunAsync<T>(Func<T, Task> function, T argument, CancellationToken cancellation = default) =>
        RunAsync(new AsyncActionJob<T>(function, argument), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    public Task<TResult> RunAsync<T1, T2, TResult>(Func<T1, T2, TResult> function, T1 first, T2 second, CancellationToken cancellation = default) =>
        RunAsync(new SyncJob<T1, T2, TResult>(function, first, second), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public Task<TResult> RunAsync<T1, T2, TResult>(Func<T1, T2, Task<TResult>> function, T1 first, T2 second, CancellationToken cancellation = default) =>
        RunAsync(new TaskJob<T1, T2, TResult>(function, first, second), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task<TResult> RunAsync<T1, T2, TResult>(Func<T1, T2, ValueTask<TResult>> function, T1 first, T2 second, CancellationToken cancellation = default) =>
        RunAsync(new ValueTaskJob<T1, T2, TResult>(function, first, second), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    public Task RunAsync<T1, T2>(Action<T1, T2> function, T1 first, T2 second, CancellationToken cancellation = default) =>
        RunAsync(new ActionJob<T1, T2>(function, first, second), cancellation);

    /// <inheritdoc cref="RunAsync{TResult}(Func{TResult}, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task RunAsync<T1, T2>(Func<T1, T2, Task> function, T1 first, T2 second, CancellationToken cancellation = default) =>
        RunAsync(new AsyncActionJob<T1, T2>(function, first, second), cancellation);
}
