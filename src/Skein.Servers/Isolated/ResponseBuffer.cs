using System.IO.Pipelines;

namespace Skein;

/// <summary>
/// In a worker: what a handler writes. It goes out when much of it is there, when it is flushed, or after a moment. The first flush waits
/// that moment too: most handlers end with it, and then all goes with their result.
/// </summary>
sealed class ResponseBuffer(Callback<ResponsePart, Nothing> respond, WorkerResponse response) : PipeWriter, IDisposable
{
    const int Full = 64 * 1024;
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(2);

    readonly Lock _gate = new();
    readonly SemaphoreSlim _turn = new(1);
    byte[] _bytes = new byte[1024];
    int _written;
    bool _lent, _sent, _ended;   // lent: somebody may be writing behind what is written
    Timer? _timer;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        lock (_gate)
        {
            var least = Math.Max(sizeHint, 256);
            if (_bytes.Length - _written < least)
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _written + least));
            _lent = true;
            return _bytes.AsMemory(_written);
        }
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _bytes.Length - _written);
            _written += bytes;
            _lent = false;
        }
    }

    public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        await response.StartAsync(cancellationToken).ConfigureAwait(false);
        while (!source.IsEmpty)
        {
            var piece = Math.Min(source.Length, Full);
            source[..piece].CopyTo(GetMemory(piece));
            Advance(piece);
            source = source[piece..];
            if (_written >= Full)
                await SendAsync(cancellationToken).ConfigureAwait(false);
        }

        SendSoon();
        return default;
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        await response.StartAsync(cancellationToken).ConfigureAwait(false);
        if (_sent || _written >= Full)
            await SendAsync(cancellationToken).ConfigureAwait(false);
        else
            SendSoon();
        return default;
    }

    public override void CancelPendingFlush() { }

    public override void Complete(Exception? exception = null) { }

    /// <summary>Sends no more by itself, and hands out what is left.</summary>
    public async Task<ResponsePart> EndAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        _ended = true;
        _turn.Release();
        return Take()!;
    }

    public void Dispose()
    {
        _ended = true;
        _timer?.Dispose();
        _turn.Dispose();
    }

    void SendSoon()
    {
        _timer ??= new(static state => _ = ((ResponseBuffer)state!).SendLaterAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Moment, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The moment is over.</summary>
    public async Task SendLaterAsync()
    {
        try
        {
            await SendAsync(CancellationToken.None, unlessLent: true).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ObjectDisposedException or InvalidOperationException or IOException or OperationCanceledException)
        {
            // The request is over, or its client has gone: the handler hears of that by its token, and when it writes itself.
        }
    }

    /// <param name="cancellation">Of the handler that waits for it.</param>
    /// <param name="unlessLent">Nothing goes out while somebody may be writing behind what is written: what that then counts would be taken for what was sent.</param>
    async ValueTask SendAsync(CancellationToken cancellation, bool unlessLent = false)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_ended)
                return;
            if (Take(unlessLent) is not { } part)
            {
                SendSoon();
                return;
            }
            if (part.Head is null && part.Body.Length == 0)
                return;
            _sent = true;
            await respond.InvokeAsync(part).AsTask().WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    ResponsePart? Take(bool unlessLent = false)
    {
        lock (_gate)
        {
            if (_lent && unlessLent)
                return null;
            var body = _bytes[.._written];
            _written = 0;
            return new() { Head = response.TakeHead(), Body = body };
        }
    }
}
