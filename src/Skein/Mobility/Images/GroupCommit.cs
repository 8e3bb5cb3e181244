using System.Buffers;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>
/// What a store does with its log. All that wait while the disk writes go into the next batch together, so a thousand processes that store themselves at
/// once cost little more than one. When most of the log is outdated it is written anew.
/// </summary>
/// <remarks>
/// <code>
/// SaveAsync ──► waiting ──► batch ──► log, and the disk ──► places ──► whoever waited goes on
/// </code>
/// </remarks>
sealed class GroupCommit : IAsyncDisposable
{
    /// <summary>A log below this size is never written anew: reading it takes milliseconds.</summary>
    const long SmallLog = 4 << 20;

    /// <summary>What still waits where a batch is as long goes into one of its own: memory is bounded by what is to be stored, and not twice that.</summary>
    const int LongBatch = 16 << 20;

    /// <summary>
    /// A flush costs processors' time too, so where many come together again and again each batch waits for as many as the last ones had; not longer than
    /// this, in milliseconds. Where few come none waits.
    /// </summary>
    const int Moment = 1, Many = 8;

    readonly BatchLog _log;
    readonly object _gate = new();           // of those that wait
    readonly SemaphoreSlim _turn = new(1);   // one writes, reads or closes: his are the log, the places and the batch
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Dictionary<string, StoreBatch.Extent> _places = [];   // of the last image of each
    readonly ArrayBufferWriter<byte> _batch = new();
    List<Entry> _waiting = [];
    int _expected;
    long _length, _live, _rewriteAt = SmallLog;
    bool _isClosed;

    sealed class Entry(string id, ReadOnlyMemory<byte>? image) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string Id => id;

        public ReadOnlyMemory<byte>? Image => image;

        public int Start;   // of the image in the batch
    }

    /// <param name="log">It is closed with this; at once if it cannot be used.</param>
    /// <exception cref="InvalidDataException">It is damaged, or no store.</exception>
    public GroupCommit(BatchLog log)
    {
        _log = log;
        try
        {
            log.Recover((number, batch) =>
            {
                foreach (var (id, place) in StoreBatch.Entries(number, batch))
                    Note(id, place);
                _length += batch.Length;
            });
        }
        catch
        {
            log.Dispose();
            throw;
        }
        // A thread of its own: it stands still while the disk writes, and the pool has no more threads than there are processors.
        new Thread(Write) { IsBackground = true, Name = "skein-store" }.Start();
    }

    /// <summary>Ends when it is stored.</summary>
    /// <param name="image">Null: the process has ended.</param>
    public ValueTask SaveAsync(string id, ReadOnlyMemory<byte>? image, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var entry = new Entry(id, image);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(MobileStore));
            _waiting.Add(entry);
            if (_waiting.Count == 1 || _waiting.Count == _expected)
                Monitor.Pulse(_gate);
        }
        return new(entry.Task);   // not cancelled once it waits: it would be stored or not, and nobody would know
    }

    /// <summary>The last image of each process.</summary>
    public async ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(MobileStore));
            var all = new List<StoredProcess>(_places.Count);
            foreach (var (id, image, _) in Images())
                all.Add(new(id, image));
            return all;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What was to be stored before is.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }
        await _ended.Task.ConfigureAwait(false);
    }

    void Write()
    {
        List<Entry> entries = [];
        do
        {
            entries.Clear();
            lock (_gate)
            {
                while (_waiting.Count == 0 && !_isClosed)
                    Monitor.Wait(_gate);
                if (_expected >= Many && _waiting.Count < _expected && !_isClosed)
                    Monitor.Wait(_gate, Moment);
                (entries, _waiting) = (_waiting, entries);
                _expected = Math.Max(entries.Count, _expected - _expected / 8 - 1);   // those who are gone are soon not expected any more
            }
            _turn.Wait();
            Commit(CollectionsMarshal.AsSpan(entries));
            if (entries.Count == 0)
                _log.Dispose();   // closed, and all is written
            _turn.Release();
        }
        while (entries.Count > 0);
        _ended.SetResult();
    }

    void Commit(ReadOnlySpan<Entry> entries)
    {
        while (!entries.IsEmpty)
        {
            var count = 0;
            try
            {
                StoreBatch.Begin(_batch);
                while (count < entries.Length && _batch.WrittenCount < LongBatch)
                {
                    var entry = entries[count++];
                    entry.Start = StoreBatch.Add(_batch, entry.Id, entry.Image);
                }
                var number = _log.Append(StoreBatch.End(_batch));
                _length += _batch.WrittenCount;
                foreach (var entry in entries[..count])
                    Note(entry.Id, entry.Image is { Length: var length } ? new(number, entry.Start, length) : null);
                foreach (var entry in entries[..count])
                    entry.SetResult();
            }
            catch (Exception e)   // of whatever kind: those who wait for it must not wait for ever
            {
                foreach (var entry in entries[..count])
                    entry.SetException(new IOException($"{_log.Path}: {e.Message} Not stored; the image before is the last.", e));
            }
            entries = entries[count..];
            if (_length > _rewriteAt && _length > 3 * _live)
                WriteAnew();
        }
    }

    void Note(string id, StoreBatch.Extent? place)
    {
        if (_places.Remove(id, out var old))
            _live -= old.Length;
        if (place is not { } extent)
            return;
        _places.Add(id, extent);
        _live += extent.Length;
    }

    /// <summary>The last image of each takes the place of all. If that fails the log serves on as it is.</summary>
    void WriteAnew()
    {
        try
        {
            var (images, length) = (new List<(string Id, StoreBatch.Extent Extent)>(_places.Count), 0L);   // the number of a batch is its place among those that are written
            var numbers = _log.Replace(Batches());
            foreach (var (id, extent) in images)
                _places[id] = extent with { Batch = numbers[(int)extent.Batch] };
            (_length, _rewriteAt) = (length, SmallLog);

            IEnumerable<ReadOnlyMemory<byte>> Batches()
            {
                var batches = 0;
                StoreBatch.Begin(_batch);
                foreach (var (id, image, isLast) in Images())
                {
                    images.Add((id, new(batches, StoreBatch.Add(_batch, id, image), image.Length)));
                    if (!isLast && _batch.WrittenCount < LongBatch / 16)
                        continue;
                    batches++;
                    length += _batch.WrittenCount;
                    yield return StoreBatch.End(_batch);
                    StoreBatch.Begin(_batch);
                }
            }
        }
        catch (Exception)   // of whatever kind
        {
            _rewriteAt = 2 * _length;   // not with each write again
        }
    }

    /// <summary>Each batch is read once.</summary>
    IEnumerable<(string Id, ReadOnlyMemory<byte> Image, bool IsLast)> Images()
    {
        var left = _places.Count;
        foreach (var batch in _places.GroupBy(static place => place.Value.Batch))
        {
            var bytes = _log.Read(batch.Key);
            foreach (var (id, place) in batch)
                yield return (id, bytes.AsMemory(place.Start, place.Length), --left == 0);
        }
    }
}
