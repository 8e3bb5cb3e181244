namespace Skein;

/// <summary>In a worker: a long request body, asked for piece by piece.</summary>
sealed class RequestStream(Callback<int, int> more, Lease piece) : Stream
{
    int _start, _length;
    bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_length == 0 && !_ended && buffer.Length > 0)
        {
            (_start, _length) = (0, await more.InvokeAsync(0).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false));
            _ended = _length == 0;
        }

        var count = Math.Min(_length, buffer.Length);
        piece.Span.Slice(_start, count).CopyTo(buffer.Span);
        (_start, _length) = (_start + count, _length - count);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new InvalidOperationException("Synchronous operations are disallowed. Call ReadAsync.");   // as in Kestrel

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
