using System.Buffers;

namespace Skein.Cli;

/// <summary>
/// What a job has written, until it is its turn: in memory while it is small, then in a temporary file that has no name, so nothing is
/// left behind however this process ends.
/// </summary>
sealed class OutputBuffer : IDisposable
{
    /// <summary>Of one job's stream, and of all of them: what is more goes to the file.</summary>
    const int MostOfOne = 1 << 20, MostOfAll = 64 << 20;

    static long _ofAll;

    byte[] _bytes = [];
    int _length;
    FileStream? _file;

    public long Length => _length + (_file?.Length ?? 0);

    /// <exception cref="CommandFailure">The temporary folder cannot hold it.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_file is null && _length + bytes.Length <= MostOfOne && (_length + bytes.Length <= _bytes.Length || Grow(_length + bytes.Length)))
        {
            bytes.CopyTo(_bytes.AsSpan(_length));
            _length += bytes.Length;
            return;
        }

        try
        {
            _file ??= CreateFile();
            _file.Write(_bytes.AsSpan(0, _length));
            Free();
            _file.Write(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Temporary, $"outputs that wait for their turn do not fit into the temporary folder {Path.GetTempPath()}: {error.Message} Set TMPDIR to a larger one, or use --unordered.");
        }
    }

    /// <summary>The bytes in pieces, in order.</summary>
    public void Read(Action<ReadOnlySpan<byte>> piece)
    {
        if (_file is null)
        {
            if (_length > 0)
                piece(_bytes.AsSpan(0, _length));
            return;
        }

        _file.Position = 0;
        var part = ArrayPool<byte>.Shared.Rent(1 << 16);
        while (_file.Read(part) is > 0 and var read)
            piece(part.AsSpan(0, read));
        ArrayPool<byte>.Shared.Return(part);
    }

    public void Reset()
    {
        Free();
        _file?.SetLength(0);
    }

    public void Dispose()
    {
        Free();
        _file?.Dispose();
    }

    bool Grow(int atLeast)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Math.Max(4096, atLeast));
        if (Interlocked.Add(ref _ofAll, bytes.Length - _bytes.Length) > MostOfAll)
        {
            Interlocked.Add(ref _ofAll, _bytes.Length - bytes.Length);
            ArrayPool<byte>.Shared.Return(bytes);
            return false;
        }

        _bytes.AsSpan(0, _length).CopyTo(bytes);
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = bytes;
        return true;
    }

    void Free()
    {
        if (_bytes.Length > 0)
        {
            Interlocked.Add(ref _ofAll, -_bytes.Length);
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = [];
        _length = 0;
    }

    static FileStream CreateFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"skein-{Environment.ProcessId}-{Guid.NewGuid():n}");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return file;
    }
}
