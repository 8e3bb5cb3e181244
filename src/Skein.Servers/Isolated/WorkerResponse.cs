using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Skein;

/// <summary>
/// In a worker: a response. What a short handler has written by its end travels with the task's result, at no cost; what is flushed or
/// longer goes ahead, and is waited for.
/// </summary>
sealed class WorkerResponse : IHttpResponseFeature, IHttpResponseBodyFeature, IDisposable
{
    readonly ResponseBuffer _buffer;
    readonly Stack<(Func<object, Task> Callback, object State)> _starting = new(), _completed = new();
    Stream? _stream;
    ResponseHead? _head;

    public WorkerResponse(Callback<ResponsePart, Nothing> respond) => _buffer = new(respond, this);

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public bool HasStarted { get; private set; }

    public PipeWriter Writer => _buffer;

    public Stream Stream => _stream ??= _buffer.AsStream(leaveOpen: true);

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException("Set IHttpResponseBodyFeature instead.");
    }

    public void OnStarting(Func<object, Task> callback, object state)
    {
        if (HasStarted)
            throw new InvalidOperationException("The response has started: OnStarting comes too late.");
        _starting.Push((callback, state));
    }

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));

    /// <summary>From now on status and headers are what they are.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted)
            return;
        while (_starting.TryPop(out var starting))
            await starting.Callback(starting.State).ConfigureAwait(false);
        HasStarted = true;
        if (Headers is HeaderDictionary headers)
            headers.IsReadOnly = true;
        _head = new() { Status = StatusCode, Reason = ReasonPhrase, Headers = HeaderList.Of(Headers) };
    }

    /// <summary>The head, for the first part that is sent.</summary>
    public ResponseHead? TakeHead() => Interlocked.Exchange(ref _head, null);

    /// <summary>What was not sent yet.</summary>
    public Task<ResponsePart> EndAsync() => _buffer.EndAsync();

    public async Task CompletedAsync()
    {
        while (_completed.TryPop(out var completed))
            await completed.Callback(completed.State).ConfigureAwait(false);
    }

    public void Dispose() => _buffer.Dispose();

    Task IHttpResponseBodyFeature.CompleteAsync() => _buffer.FlushAsync().AsTask();

    void IHttpResponseBodyFeature.DisableBuffering() { }

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);
}
