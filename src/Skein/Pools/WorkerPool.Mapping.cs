using System.Runtime.CompilerServices;

namespace Skein;

// Mapping: sequences and streams; in order or as they come; synchronous, Task or ValueTask.
public sealed partial class WorkerPool
{
    /// <summary>
    /// Runs a function for each input, and gives the outcomes in the order of the inputs. Inputs are taken only as fast as
    /// outcomes are: they may be endless.
    /// </summary>
    /// <param name="options">How inputs are put together for sending.</param>
    /// <param name="cancellation">Ends the loop and what is under way. Leaving the loop does so too.</param>
    public IAsyncEnumerable<Outcome<T, TResult>> MapAsync<T, TResult>(IEnumerable<T> inputs, Func<T, TResult> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), SyncChunkJob<T, TResult>.Of(function), options ?? new(), ordered: true, cancellation);

    /// <inheritdoc cref="MapAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapAsync<T, TResult>(IEnumerable<T> inputs, Func<T, Task<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), TaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: true, cancellation);

    /// <inheritdoc cref="MapAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapAsync<T, TResult>(IEnumerable<T> inputs, Func<T, ValueTask<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), ValueTaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: true, cancellation);

    /// <inheritdoc cref="MapAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    public IAsyncEnumerable<Outcome<T, TResult>> MapAsync<T, TResult>(IAsyncEnumerable<T> inputs, Func<T, TResult> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), SyncChunkJob<T, TResult>.Of(function), options ?? new(), ordered: true, cancellation);

    /// <inheritdoc cref="MapAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapAsync<T, TResult>(IAsyncEnumerable<T> inputs, Func<T, Task<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), TaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: true, cancellation);

    /// <inheritdoc cref="MapAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapAsync<T, TResult>(IAsyncEnumerable<T> inputs, Func<T, ValueTask<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), ValueTaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: true, cancellation);

    /// <summary>
    /// Runs a function for each input, and gives the outcomes as they come. Inputs are taken only as fast as
    /// outcomes are: they may be endless.
    /// </summary>
    /// <param name="options">How inputs are put together for sending.</param>
    /// <param name="cancellation">Ends the loop and what is under way. Leaving the loop does so too.</param>
    public IAsyncEnumerable<Outcome<T, TResult>> MapUnorderedAsync<T, TResult>(IEnumerable<T> inputs, Func<T, TResult> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), SyncChunkJob<T, TResult>.Of(function), options ?? new(), ordered: false, cancellation);

    /// <inheritdoc cref="MapUnorderedAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapUnorderedAsync<T, TResult>(IEnumerable<T> inputs, Func<T, Task<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), TaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: false, cancellation);

    /// <inheritdoc cref="MapUnorderedAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapUnorderedAsync<T, TResult>(IEnumerable<T> inputs, Func<T, ValueTask<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), ValueTaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: false, cancellation);

    /// <inheritdoc cref="MapUnorderedAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    public IAsyncEnumerable<Outcome<T, TResult>> MapUnorderedAsync<T, TResult>(IAsyncEnumerable<T> inputs, Func<T, TResult> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), SyncChunkJob<T, TResult>.Of(function), options ?? new(), ordered: false, cancellation);

    /// <inheritdoc cref="MapUnorderedAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(2)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapUnorderedAsync<T, TResult>(IAsyncEnumerable<T> inputs, Func<T, Task<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), TaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: false, cancellation);

    /// <inheritdoc cref="MapUnorderedAsync{T, TResult}(IEnumerable{T}, Func{T, TResult}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public IAsyncEnumerable<Outcome<T, TResult>> MapUnorderedAsync<T, TResult>(IAsyncEnumerable<T> inputs, Func<T, ValueTask<TResult>> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        new Mapping<T, TResult>(this, ItemSource<T>.From(inputs), ValueTaskChunkJob<T, TResult>.Of(function), options ?? new(), ordered: false, cancellation);

    /// <summary>Runs a function for each input and waits for all of them.</summary>
    /// <exception cref="AggregateException">Some failed: all that they threw. The others have run.</exception>
    public Task ForEachAsync<T>(IEnumerable<T> inputs, Action<T> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        ForEachAsync(MapUnorderedAsync(inputs, Returning(function), options, cancellation));

    /// <inheritdoc cref="ForEachAsync{T}(IEnumerable{T}, Action{T}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task ForEachAsync<T>(IEnumerable<T> inputs, Func<T, Task> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        ForEachAsync(MapUnorderedAsync(inputs, Returning(function), options, cancellation));

    /// <inheritdoc cref="ForEachAsync{T}(IEnumerable{T}, Action{T}, MapOptions, CancellationToken)"/>
    public Task ForEachAsync<T>(IAsyncEnumerable<T> inputs, Action<T> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        ForEachAsync(MapUnorderedAsync(inputs, Returning(function), options, cancellation));

    /// <inheritdoc cref="ForEachAsync{T}(IEnumerable{T}, Action{T}, MapOptions, CancellationToken)"/>
    [OverloadResolutionPriority(1)]
    public Task ForEachAsync<T>(IAsyncEnumerable<T> inputs, Func<T, Task> function, MapOptions? options = null, CancellationToken cancellation = default) =>
        ForEachAsync(MapUnorderedAsync(inputs, Returning(function), options, cancellation));

    static Func<T, Nothing> Returning<T>(Action<T> function) => new ActionFunction<T>(function ?? throw new ArgumentNullException(nameof(function))).Invoke;

    static Func<T, Task<Nothing>> Returning<T>(Func<T, Task> function) => new AsyncActionFunction<T>(function ?? throw new ArgumentNullException(nameof(function))).InvokeAsync;

    static async Task ForEachAsync<T>(IAsyncEnumerable<Outcome<T, Nothing>> outcomes)
    {
        List<Exception> errors = [];
        await foreach (var outcome in outcomes.ConfigureAwait(false))
        {
            if (outcome.Error is { } error)
                errors.Add(error);
        }

        if (errors.Count > 0)
            throw new AggregateException(errors);
    }

    sealed class ActionFunction<T>(Action<T> function)
    {
        public Nothing Invoke(T input)
        {
            function(input);
            return default;
        }
    }

    sealed class AsyncActionFunction<T>(Func<T, Task> function)
    {
        public async Task<Nothing> InvokeAsync(T input)
        {
            await function(input).ConfigureAwait(false);
            return default;
        }
    }
}
