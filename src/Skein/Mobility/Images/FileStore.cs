using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>
/// A store in one file: a log to which images are appended. All that wait while the disk writes go into the next write together, so a
/// thousand processes that store themselves at once cost little more than one. When most of the file is outdated it is written anew.
/// <code>
/// await using var store = FileStore.Open("/var/lib/orders/processes.log");
/// var node = new MobileNode("a", store: store);
/// foreach (var stored in await store.ReadAsync())
///     node.Restore&lt;int&gt;(stored.Image.ToArray());
/// </code>
/// </summary>
public sealed class FileStore : MobileStore
{
    /// <summary>A file below this size is never written anew: reading it takes milliseconds.</summary>
    const long SmallFile = 4 << 20;

    readonly string _path;
    readonly Lock _gate = new();
    readonly Dictionary<string, StoreLog.Extent> _places;   // under _file's turn: only the writer changes it
    readonly ArrayBufferWriter<byte> _batch = new();
    readonly SemaphoreSlim _turn = new(1);   // one writes, reads or closes
    List<Entry> _waiting = [];
    SafeFileHandle _file;
    long _length, _live, _rewriteAt = SmallFile;
    string? _broken;
    bool _isWriting, _isClosed;

    sealed class Entry(string id, ReadOnlyMemory<byte>? image) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string Id => id;

        public ReadOnlyMemory<byte>? Image => image;

        public int Start;   // of the image in the batch
    }

    FileStore(string path, SafeFileHandle file, Dictionary<string, StoreLog.Extent> places, long length)
    {
        _path = path;
        _file = file;
        _places = places;
        _length = length;
        _live = places.Values.Sum(static place => (long)place.Length);
    }

    /// <summary>Opens a store, or makes it. A write that was interrupted by a crash is cut off: nobody was told that it was there.</summary>
    /// <exception cref="IOException">It cannot be opened, or another process has it open.</exception>
    /// <exception cref="InvalidDataException">It is damaged in the middle, or no store.</exception>
    public static FileStore Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        path = Path.GetFullPath(path);
        var isNew = !File.Exists(path);
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            var places = new Dictionary<string, StoreLog.Extent>();
            var length = StoreLog.Read(file, path, places);
            if (length < RandomAccess.GetLength(file))
                RandomAccess.SetLength(file, length);
            RandomAccess.FlushToDisk(file);
            if (isNew)
                FlushFolder(path);
            File.Delete(path + ".new");   // of a rewriting that a crash interrupted
            return new(path, file, places, length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default) => Append(new(id, image), cancellation);

    /// <inheritdoc/>
    public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default) => Append(new(id, null), cancellation);

    /// <inheritdoc/>
    public override async ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            var all = new List<StoredProcess>(_places.Count);
            foreach (var (id, place) in _places)
                all.Add(new(id, ReadImage(place)));
            return all;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
        }
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            Commit(TakeWaiting([]) ?? []);   // what was appended before
            _file.Dispose();
        }
        finally
        {
            _turn.Release();
        }
    }

    ValueTask Append(Entry entry, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _waiting.Add(entry);
            if (!_isWriting)
            {
                _isWriting = true;
                _ = Task.Run(WriteAsync, CancellationToken.None);
            }
        }
        return new(entry.Task);   // not cancelled once it waits: it would be stored or not, and nobody would know
    }

    async Task WriteAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            List<Entry> spare = [];
            while (TakeWaiting(spare) is { } entries)
            {
                Commit(entries);
                entries.Clear();
                spare = entries;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Null, and the end of writing, when nothing waits.</summary>
    List<Entry>? TakeWaiting(List<Entry> spare)
    {
        lock (_gate)
        {
            _isWriting = _waiting.Count > 0;
            if (!_isWriting)
                return null;
            (var entries, _waiting) = (_waiting, spare);
            return entries;
        }
    }

    void Commit(List<Entry> entries)
    {
        if (entries.Count == 0)
            return;
        try
        {
            if (_broken is not null)
                throw new IOException(_broken);
            StoreLog.Begin(_batch);
            foreach (var entry in entries)
                entry.Start = StoreLog.Add(_batch, entry.Id, entry.Image);
            Write(StoreLog.End(_batch));
        }
        catch (Exception e)
        {
            foreach (var entry in entries)
                entry.SetException(new IOException($"{_path}: {e.Message} Not stored; the image before is the last.", e));
            return;
        }
        foreach (var entry in entries)
            Note(entry);
        _length += _batch.WrittenCount;
        foreach (var entry in entries)
            entry.SetResult();
        if (_length > _rewriteAt && _length > 3 * _live)
            WriteAnew();
    }

    void Write(ReadOnlyMemory<byte> batch)
    {
        try
        {
            RandomAccess.Write(_file, batch.Span, _length);
        }
        catch (IOException)
        {
            // A full disk. What was written of the batch must not stand before the next.
            try
            {
                RandomAccess.SetLength(_file, _length);
            }
            catch (IOException e)
            {
                _broken = $"The store cannot be written any more: {e.Message}";
            }
            throw;
        }
        try
        {
            RandomAccess.FlushToDisk(_file);
        }
        catch (IOException e)
        {
            _broken = $"The disk has failed to keep what was written ({e.Message}); what it holds is unknown until the store is opened again.";
            throw;
        }
    }

    void Note(Entry entry)
    {
        if (_places.Remove(entry.Id, out var old))
            _live -= old.Length;
        if (entry.Image is not { } image)
            return;
        _places.Add(entry.Id, new(_length + entry.Start, image.Length));
        _live += image.Length;
    }

    /// <summary>A new file with the last image of each takes the place of the old one. If that fails the old one serves on.</summary>
    void WriteAnew()
    {
        var name = _path + ".new";
        SafeFileHandle? file = null;
        var isInPlace = false;
        try
        {
            file = File.OpenHandle(name, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
            var places = new Dictionary<string, StoreLog.Extent>(_places.Count);
            var length = 0L;
            foreach (var group in _places.Chunk(1000))
            {
                StoreLog.Begin(_batch);
                foreach (var (id, place) in group)
                    places[id] = new(length + StoreLog.Add(_batch, id, ReadImage(place)), place.Length);
                RandomAccess.Write(file, StoreLog.End(_batch).Span, length);
                length += _batch.WrittenCount;
            }
            RandomAccess.FlushToDisk(file);
            File.Move(name, _path, overwrite: true);
            (isInPlace, _rewriteAt) = (true, SmallFile);
            (var old, _file) = (_file, file);
            old.Dispose();
            _length = length;
            foreach (var (id, place) in places)
                _places[id] = place;
            FlushFolder(_path);
        }
        catch (Exception e)   // of whatever kind: those who wait for the next write must not wait for ever
        {
            if (isInPlace)
            {
                _broken = $"The store was written anew, and it is not known whether its name survives the loss of power: {e.Message}";
                return;
            }
            file?.Dispose();
            _rewriteAt = 2 * _length;   // not with each write again
        }
    }

    byte[] ReadImage(StoreLog.Extent place)
    {
        var image = new byte[place.Length];
        return StoreLog.TryFill(_file, image, place.Offset) ? image : throw new InvalidDataException($"The store {_path} has become shorter.");
    }

    static void FlushFolder(string path)
    {
        if (OperatingSystem.IsLinux())
            FolderSync.Flush(Path.GetDirectoryName(path)!);
    }
}
