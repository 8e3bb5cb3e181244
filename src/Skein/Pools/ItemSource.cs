namespace Skein;

/// <summary>The inputs of a mapping, taken as they are needed: they may be endless, and may come from afar.</summary>
abstract class ItemSource<T> : IAsyncDisposable
{
    /// <summary>The next input if it is there now. False: ask <see cref="WaitAsync"/>.</summary>
    public abstract bool TryNext(out T item);

    /// <summary>Completes when <see cref="TryNext"/> has an input (true) or there is none any more (false).</summary>
    public abstract Task<bool> WaitAsync();

    public abstract ValueTask DisposeAsync();

    public static Func<CancellationToken, ItemSource<T>> From(IEnumerable<T> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return _ => new Row(inputs.GetEnumerator());
    }

    public static Func<CancellationToken, ItemSource<T>> From(IAsyncEnumerable<T> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return cancellation => new Flow(inputs.GetAsyncEnumerator(cancellation));
    }

    sealed class Row(IEnumerator<T> items) : ItemSource<T>
    {
        public override bool TryNext(out T item)
        {
            var more = items.MoveNext();
            item = more ? items.Current : default!;
            return more;
        }

        public override Task<bool> WaitAsync() => Task.FromResult(false);

        public override ValueTask DisposeAsync()
        {
            items.Dispose();
            return default;
        }
    }

    sealed class Flow(IAsyncEnumerator<T> items) : ItemSource<T>
    {
        Task<bool>? _next;

        public override bool TryNext(out T item)
        {
            var next = WaitAsync();
            var more = next.IsCompleted && next.GetAwaiter().GetResult();
            item = more ? items.Current : default!;
            if (more)
                _next = null;
            return more;
        }

        public override Task<bool> WaitAsync()
        {
            if (_next is null)
            {
                var next = items.MoveNextAsync();
                _next = next.IsCompletedSuccessfully ? Task.FromResult(next.Result) : next.AsTask();
            }

            return _next;
        }

        // An iterator in the middle of a step cannot be disposed of: it is, when the step that nobody waits for any more has ended.
        public override ValueTask DisposeAsync()
        {
            if (_next is not { IsCompleted: false } pending)
                return items.DisposeAsync();
            _ = DisposeAfterAsync(pending);
            return default;
        }

        async Task DisposeAfterAsync(Task pending)
        {
            try
            {
                await pending.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // it was cancelled, or failed after everybody had left
            }

            await items.DisposeAsync().ConfigureAwait(false);
        }
    }
}
