using System.Threading.Channels;

namespace Skein;

/// <summary>
/// A function over inputs, by a pool. Inputs are taken only as fast as outcomes are: what is under way at once is a few chunks for each
/// worker. A chunk is as many inputs as take about two milliseconds by what they have cost so far.
/// </summary>
sealed class Mapping<T, TResult>(
    WorkerPool pool, Func<CancellationToken, ItemSource<T>> source, Func<T[], ChunkJob<T, TResult>> job, MapOptions options, bool ordered, CancellationToken cancellation)
    : IAsyncEnumerable<Outcome<T, TResult>>
{
    WorkerPool Pool => pool;

    MapOptions Options => options;

    bool Ordered => ordered;

    ItemSource<T> Open(CancellationToken token) => source(token);

    Chunk<T, TResult> Cut(long first, T[] inputs) => new(first, inputs, job);

    public IAsyncEnumerator<Outcome<T, TResult>> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new Enumerator(this, CancellationTokenSource.CreateLinkedTokenSource(cancellation, cancellationToken));

    sealed class Enumerator : IAsyncEnumerator<Outcome<T, TResult>>
    {
        // Long enough that the call's own cost disappears in it, short enough that nobody waits for it.
        const double ChunkMicroseconds = 2000;

        // What costs more than this is sent alone: losing it must not cost others a second run, and sending alone costs it nothing.
        const double AloneMicroseconds = 100;

        const int LargestChunk = 64 * 1024;
        const int FirstLength = 4096;   // of what a chunk is gathered in: its size may be a number beyond all input
        const int Growth = 8;

        readonly Mapping<T, TResult> _mapping;
        readonly CancellationTokenSource _cancellation;
        readonly ItemSource<T> _source;
        readonly Queue<Chunk<T, TResult>> _inOrder = new();
        readonly HashSet<Chunk<T, TResult>> _underWay = [];
        readonly Channel<Chunk<T, TResult>> _done = Channel.CreateUnbounded<Chunk<T, TResult>>();
        Chunk<T, TResult>? _current;
        int _position, _size = 1;
        long _taken;
        bool _ended;

        public Enumerator(Mapping<T, TResult> mapping, CancellationTokenSource cancellation)
        {
            _mapping = mapping;
            _cancellation = cancellation;
            _size = mapping.Options.ChunkSize ?? 1;
            try
            {
                _source = mapping.Open(cancellation.Token);
            }
            catch
            {
                cancellation.Dispose();
                throw;
            }
        }

        public Outcome<T, TResult> Current => _current![_position];

        int Window => (int)Math.Min(3L * _mapping.Pool.MostWorkers, int.MaxValue);

        public ValueTask<bool> MoveNextAsync()
        {
            if (_current is { } chunk && _position + 1 < chunk.Length)
            {
                _position++;
                return new(true);
            }

            return NextChunkAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await _cancellation.CancelAsync().ConfigureAwait(false);   // whoever stops early does not want the rest
            foreach (var chunk in _underWay.ToArray())
                await chunk.Completion.ConfigureAwait(false);   // it completes, never fails
            await _source.DisposeAsync().ConfigureAwait(false);
            _cancellation.Dispose();
        }

        async ValueTask<bool> NextChunkAsync()
        {
            while (true)
            {
                _cancellation.Token.ThrowIfCancellationRequested();
                await FillAsync().ConfigureAwait(false);
                if (_underWay.Count == 0)
                {
                    if (_ended)
                        return false;
                    _ended = !await _source.WaitAsync().ConfigureAwait(false);
                    continue;
                }

                if (await TakeAsync().ConfigureAwait(false) is not { } chunk)
                    continue;
                _underWay.Remove(chunk);
                Learn(chunk);
                _current = chunk;
                _position = 0;
                return true;
            }
        }

        /// <summary>The next outcomes; null when inputs came first.</summary>
        async ValueTask<Chunk<T, TResult>?> TakeAsync()
        {
            Task ready = _mapping.Ordered ? _inOrder.Peek().Completion : _done.Reader.WaitToReadAsync(_cancellation.Token).AsTask();
            if (!ready.IsCompleted && !_ended && _underWay.Count < Window)
            {
                await Task.WhenAny(ready, _source.WaitAsync()).ConfigureAwait(false);
                if (!ready.IsCompleted)
                    return null;
            }

            await ready.WaitAsync(_cancellation.Token).ConfigureAwait(false);
            return _mapping.Ordered ? _inOrder.Dequeue() : _done.Reader.TryRead(out var chunk) ? chunk : null;
        }

        async ValueTask FillAsync()
        {
            while (!_ended && _underWay.Count < Window)
            {
                var inputs = new T[Math.Min(_size, FirstLength)];
                var count = 0;
                while (count < _size && _source.TryNext(out var item))
                {
                    if (count == inputs.Length)
                        Array.Resize(ref inputs, (int)Math.Min(_size, 2L * count));
                    inputs[count++] = item;
                }

                if (count == 0)
                {
                    // A sequence is at its end then; a stream may only be slow.
                    var waiting = _source.WaitAsync();
                    if (!waiting.IsCompleted)
                        return;
                    _ended = !await waiting.ConfigureAwait(false);
                    continue;
                }

                if (count < inputs.Length)
                    Array.Resize(ref inputs, count);
                var chunk = _mapping.Cut(_taken, inputs);
                _taken += count;
                await _mapping.Pool.AddAsync(chunk, _cancellation.Token).ConfigureAwait(false);   // or throws: then it is nobody's
                _underWay.Add(chunk);
                if (_mapping.Ordered)
                    _inOrder.Enqueue(chunk);
                else
                    _ = AnnounceAsync(chunk);
            }
        }

        async Task AnnounceAsync(Chunk<T, TResult> chunk) => _done.Writer.TryWrite(await chunk.Completion.ConfigureAwait(false));

        void Learn(Chunk<T, TResult> chunk)
        {
            if (_mapping.Options.ChunkSize is not null)
                return;
            var each = (chunk.Cost + 0.5) / chunk.Length;
            var ideal = each > AloneMicroseconds ? 1 : ChunkMicroseconds / each;
            _size = (int)Math.Clamp(Math.Min(ideal, (double)chunk.Length * Growth), 1, LargestChunk);
        }
    }
}
