using System.IO.Pipelines;

namespace Skein;

/// <summary>A reader that knows whether somebody waits for it: the table shows it.</summary>
sealed class WatchedReader(PipeReader reader) : PipeReader
{
    volatile bool _isAwaited;

    public bool IsAwaited => _isAwaited;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = reader.ReadAsync(cancellationToken);
        return read.IsCompleted ? read : WaitAsync(read);
    }

    async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
    {
        _isAwaited = true;
        try
        {
            return await read.ConfigureAwait(false);
        }
        finally
        {
            _isAwaited = false;
        }
    }

    public override bool TryRead(out ReadResult result) => reader.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => reader.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => reader.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => reader.CancelPendingRead();

    public override void Complete(Exception? exception = null) => reader.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => reader.CompleteAsync(exception);
}

/// <summary>A writer that knows whether somebody waits for room in it.</summary>
sealed class WatchedWriter(PipeWriter writer) : PipeWriter
{
    volatile bool _isAwaited;

    public bool IsAwaited => _isAwaited;

    public override bool CanGetUnflushedBytes => writer.CanGetUnflushedBytes;

    public override long UnflushedBytes => writer.UnflushedBytes;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => Watch(writer.FlushAsync(cancellationToken));

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        Watch(writer.WriteAsync(source, cancellationToken));

    ValueTask<FlushResult> Watch(ValueTask<FlushResult> flush) => flush.IsCompleted ? flush : WaitAsync(flush);

    async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flush)
    {
        _isAwaited = true;
        try
        {
            return await flush.ConfigureAwait(false);
        }
        finally
        {
            _isAwaited = false;
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => writer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => writer.GetSpan(sizeHint);

    public override void Advance(int bytes) => writer.Advance(bytes);

    public override void CancelPendingFlush() => writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => writer.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => writer.CompleteAsync(exception);
}

/// <summary>Both directions of a connection, as its handler has them.</summary>
sealed record WatchedPipe(WatchedReader Reader, WatchedWriter Writer) : IDuplexPipe
{
    public WatchedPipe(PipeReader reader, PipeWriter writer)
        : this(new WatchedReader(reader), new WatchedWriter(writer))
    {
    }

    public PipeReader Input => Reader;

    public PipeWriter Output => Writer;
}
