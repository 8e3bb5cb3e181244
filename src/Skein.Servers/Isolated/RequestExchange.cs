using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Skein;

/// <summary>
/// In the application: what a worker reads and writes while it runs one request. Each piece is waited for, so neither side gets ahead of a
/// client that is slow. When the request is over, nothing of it touches the context any more.
/// </summary>
sealed class RequestExchange : IAsyncDisposable
{
    const int PieceSize = 256 * 1024;

    readonly HttpContext _context;
    readonly CancellationTokenSource _over;
    readonly SemaphoreSlim _reading = new(1), _responding = new(1);   // a client may wait for an answer before it sends more
    PipeReader? _body;
    Lease? _piece;
    bool _ended;

    public RequestExchange(HttpContext context)
    {
        _context = context;
        _over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Respond = Callback.To<ResponsePart, Nothing>(part => InTurnAsync(_responding, async () =>
        {
            await SendAsync(part, _over.Token).ConfigureAwait(false);
            return default(Nothing);
        }));
    }

    public Callback<ResponsePart, Nothing> Respond { get; }

    /// <summary>Takes the request's body: the whole of it if it is there, else as it is asked for.</summary>
    public void Take(IsolatedRequest request)
    {
        if (_context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == false)
            return;
        _body = _context.Request.BodyReader;
        if (_body.TryRead(out var read))
        {
            if (read.IsCompleted)
            {
                request.Body = read.Buffer.ToArray();
                _body.AdvanceTo(read.Buffer.End);
                return;
            }

            _body.AdvanceTo(read.Buffer.Start);
        }

        request.Piece = _piece = Lease.Rent(PieceSize);
        request.ReadBody = Callback.To<int, int>(_ => InTurnAsync(_reading, ReadAsync));
    }

    /// <summary>Sends the rest of the response.</summary>
    public async Task EndAsync(ResponsePart last)
    {
        await CloseAsync().ConfigureAwait(false);
        if (last.Head is { Status: >= 200 and not (204 or 304) } head && last.Body.Length > 0 && !SaysItsLength(head))
            _context.Response.ContentLength = last.Body.Length;
        await SendAsync(last, _context.RequestAborted).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _piece?.Dispose();
        _over.Dispose();
    }

    static bool SaysItsLength(ResponseHead head) =>
        Array.Exists(head.Headers, static name => name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase));

    /// <summary>What the worker has asked for and not got ends before its request does.</summary>
    public async ValueTask CloseAsync()
    {
        if (_ended)
            return;
        await CloseAsync(_reading).ConfigureAwait(false);
        await CloseAsync(_responding).ConfigureAwait(false);
        _ended = true;
        _reading.Release();
        _responding.Release();
    }

    async ValueTask CloseAsync(SemaphoreSlim turn)
    {
        if (turn.Wait(0, CancellationToken.None))
            return;
        await _over.CancelAsync().ConfigureAwait(false);
        await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    async Task<T> InTurnAsync<T>(SemaphoreSlim turn, Func<Task<T>> step)
    {
        await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            return _ended ? throw new InvalidOperationException("The request is over.") : await step().ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<int> ReadAsync()
    {
        var read = await _body!.ReadAsync(_over.Token).ConfigureAwait(false);
        var length = (int)Math.Min(read.Buffer.Length, PieceSize);
        var piece = read.Buffer.Slice(0, length);
        piece.CopyTo(_piece!.Span);
        _body.AdvanceTo(piece.End);
        return length;
    }

    async Task SendAsync(ResponsePart part, CancellationToken cancellation)
    {
        var response = _context.Response;
        if (part.Head is { } head)
        {
            response.StatusCode = head.Status;
            if (head.Reason is { Length: > 0 } reason && response.HttpContext.Features.Get<IHttpResponseFeature>() is { } feature)
                feature.ReasonPhrase = reason;
            HeaderList.Set(response.Headers, head.Headers);
        }

        if (part.Body.Length > 0)
            await response.BodyWriter.WriteAsync(part.Body, cancellation).ConfigureAwait(false);
        else if (!_ended)
            await response.BodyWriter.FlushAsync(cancellation).ConfigureAwait(false);   // the handler wants its headers to be seen
    }
}
