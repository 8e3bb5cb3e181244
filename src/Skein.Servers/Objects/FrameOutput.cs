using System.IO.Pipelines;

namespace Skein;

/// <summary>Where both sides put their frames: what has gathered while the last write was on its way goes with one.</summary>
/// <param name="output">The connection.</param>
/// <param name="maxLength">Of a body, in bytes.</param>
/// <param name="setting">The option that says so.</param>
sealed class FrameOutput(PipeWriter output, int maxLength, string setting) : IThreadPoolWorkItem
{
    const int KeptBuffer = 1 << 18, MostWaiting = 1 << 20;

    readonly Lock _gate = new();
    readonly GraphWriter _writer = new(new(withPaths: false));
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    byte[] _gathered = new byte[4096], _going = new byte[4096];
    TaskCompletionSource? _room;
    int _length;
    bool _isWriting, _isEnding;

    /// <summary>What ended it, if anything did. Nothing is sent any more.</summary>
    public Exception? Broken { get; private set; }

    /// <summary>Sends a frame. It is not waited for.</summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="number">Of the call.</param>
    /// <param name="state">Goes to <paramref name="write"/>.</param>
    /// <param name="write">Writes its body. What it throws is thrown here, and nothing was sent.</param>
    /// <exception cref="MessageTooLargeException">It is over the limit.</exception>
    public void Send<TState>(ObjectFrameKind kind, uint number, TState state, Action<GraphWriter, TState> write)
    {
        lock (_gate)
        {
            if (Broken is not null || _isEnding)
                return;
            _writer.Session.Reset();
            _writer.Begin(ObjectFrame.HeaderLength);
            write(_writer, state);
            var frame = _writer.Written.Span;
            var length = frame.Length - ObjectFrame.HeaderLength;
            if (length > maxLength)
                throw new MessageTooLargeException(length, maxLength, $"raised by {setting}");
            ObjectFrame.WriteHeader(frame, kind, number, length);
            if (_gathered.Length - _length < frame.Length)
                Array.Resize(ref _gathered, Math.Max(_gathered.Length * 2, _length + frame.Length));
            frame.CopyTo(_gathered.AsSpan(_length));
            _length += frame.Length;
            if (_isWriting)
                return;
            _isWriting = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>
    /// Completes when not much waits to be written. A server reads no more calls of a client until then: one that does not read its answers
    /// would have them all kept here.
    /// </summary>
    public Task RoomAsync()
    {
        lock (_gate)
        {
            if (_length <= MostWaiting || Broken is not null)
                return Task.CompletedTask;
            return (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Sends what has gathered, and nothing after it.</summary>
    public Task EndAsync()
    {
        lock (_gate)
        {
            _isEnding = true;
            if (!_isWriting)
                _ended.TrySetResult();
        }

        return _ended.Task;
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAsync();

    async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                int length;
                lock (_gate)
                {
                    length = _length;
                    if (length == 0)
                    {
                        _isWriting = false;
                        if (_isEnding)
                            _ended.TrySetResult();
                        return;
                    }

                    (_gathered, _going, _length) = (_going.Length > KeptBuffer ? new byte[4096] : _going, _gathered, 0);
                    _room?.SetResult();
                    _room = null;
                }

                var flush = await output.WriteAsync(_going.AsMemory(0, length)).ConfigureAwait(false);
                if (flush.IsCompleted)
                    throw new IOException("The other side takes no more.");
            }
        }
        catch (Exception error)
        {
            lock (_gate)
            {
                Broken = error;
                _room?.TrySetResult();
            }

            await output.CompleteAsync(error).ConfigureAwait(false);   // whoever reads this connection learns of it
            _ended.TrySetResult();
        }
    }
}
