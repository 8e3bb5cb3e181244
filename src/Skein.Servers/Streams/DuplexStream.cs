using System.Buffers;
using System.IO.Pipelines;

namespace Skein;

/// <summary>A connection's two pipes as one stream, which is what <see cref="System.Net.Security.SslStream"/> wants below it.</summary>
sealed class DuplexStream(PipeReader input, PipeWriter output) : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
        var length = (int)Math.Min(read.Buffer.Length, buffer.Length);
        var part = read.Buffer.Slice(0, length);
        part.CopyTo(buffer.Span);
        input.AdvanceTo(part.End);   // which takes the part's length with it
        return length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if ((await output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false)).IsCompleted)
            throw new IOException("The client takes no more: the connection is broken.");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;   // each write has gone

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only the asynchronous calls are used.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only the asynchronous calls are used.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
