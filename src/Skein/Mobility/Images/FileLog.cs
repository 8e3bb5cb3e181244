using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>
/// Batches in one file, one after another; the number of each is where it begins. Each is durable before the next begins, so only the last can be torn.
/// </summary>
sealed class FileLog : BatchLog
{
    readonly bool _isNew;
    SafeFileHandle _file;
    long _length;
    string? _broken;

    /// <exception cref="IOException">It cannot be opened, or another process has it open.</exception>
    public FileLog(string path)
    {
        Path = path;
        _isNew = !File.Exists(path);
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    public override string Path { get; }

    public override void Recover(Action<long, byte[]> found)
    {
        var length = RandomAccess.GetLength(_file);
        RequireStore(length);
        while (_length < length && ReadBatch(_length, length) is { } batch)
        {
            found(_length, batch);
            _length += batch.Length;
        }
        if (_length < length)
        {
            if (IsFollowed(_length + 1, length))
                throw new InvalidDataException($"The store {Path} is damaged at byte {_length}, and whole records follow: this is no interrupted write. Restore the file from a copy.");
            RandomAccess.SetLength(_file, _length);
        }
        RandomAccess.FlushToDisk(_file);
        if (_isNew)
            FlushFolder();
        File.Delete(Path + ".new");   // of a rewriting that a crash interrupted
    }

    public override long Append(ReadOnlyMemory<byte> batch)
    {
        if (_broken is not null)
            throw new IOException(_broken);
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
        var number = _length;
        _length += batch.Length;
        return number;
    }

    public override byte[] Read(long number) => ReadBatch(number, _length) ?? throw new InvalidDataException($"The store {Path} has become shorter, or is damaged at byte {number}.");

    /// <summary>A new file takes the place of the old one.</summary>
    public override IReadOnlyList<long> Replace(IEnumerable<ReadOnlyMemory<byte>> batches)
    {
        var name = Path + ".new";
        var file = File.OpenHandle(name, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        var (numbers, length) = (new List<long>(), 0L);
        try
        {
            foreach (var batch in batches)
            {
                RandomAccess.Write(file, batch.Span, length);
                numbers.Add(length);
                length += batch.Length;
            }
            RandomAccess.FlushToDisk(file);
            File.Move(name, Path, overwrite: true);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _file.Dispose();
        (_file, _length) = (file, length);
        try
        {
            FlushFolder();
        }
        catch (IOException e)
        {
            _broken = $"The store was written anew, and it is not known whether its name survives the loss of power: {e.Message}";
        }
        return numbers;
    }

    public override void Dispose() => _file.Dispose();

    /// <summary>What does not begin as a store does is somebody else's: it must not be cut off.</summary>
    void RequireStore(long length)
    {
        Span<byte> begin = stackalloc byte[(int)Math.Min(StoreBatch.Mark.Length, length)];
        TryFill(begin, 0);
        if (StoreBatch.Mark.StartsWith(begin) || !begin.ContainsAnyExcept((byte)0))   // with the size of its first batch, and not its bytes yet
            return;
        throw new InvalidDataException(begin.StartsWith(StoreBatch.Mark[..^1])
            ? $"The store {Path} was written by a later version of Skein. Nothing was changed."
            : $"The file {Path} is no store of mobile processes, but something else. Nothing was changed.");
    }

    /// <summary>Null unless a whole batch begins there.</summary>
    byte[]? ReadBatch(long position, long end)
    {
        Span<byte> header = stackalloc byte[StoreBatch.HeaderSize];
        if (end - position < header.Length || !TryFill(header, position) || StoreBatch.LengthOf(header) is not { } length || length > end - position)
            return null;
        var batch = new byte[length];
        return TryFill(batch, position) && StoreBatch.IsWhole(batch) ? batch : null;
    }

    /// <summary>Whether a whole batch begins anywhere from here on.</summary>
    bool IsFollowed(long position, long end)
    {
        var window = new byte[1 << 16];
        for (; position + StoreBatch.HeaderSize <= end; position += window.Length - 3)   // a mark may lie across two windows
        {
            var read = RandomAccess.Read(_file, window, position);
            for (var at = 0; at < read;)
            {
                var found = window.AsSpan(at, read - at).IndexOf(StoreBatch.Mark);
                if (found < 0)
                    break;
                if (ReadBatch(position + at + found, end) is not null)
                    return true;
                at += found + 1;
            }
        }
        return false;
    }

    bool TryFill(Span<byte> bytes, long position)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(_file, bytes, position);
            if (read == 0)
                return false;
            bytes = bytes[read..];
            position += read;
        }
        return true;
    }

    void FlushFolder()
    {
        if (OperatingSystem.IsLinux())
            FolderSync.Flush(System.IO.Path.GetDirectoryName(Path)!);
    }
}
