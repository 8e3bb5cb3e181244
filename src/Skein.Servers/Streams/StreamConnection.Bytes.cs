using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Skein;

/// <summary>The bytes of a connection. All of this runs on the loop's thread, except where it says otherwise.</summary>
partial class StreamConnection
{
    const int ReceiveAtOnce = 16;   // pieces of 4 KiB, then others have their turn

    // A client that takes none of the last bytes for so long will not take them.
    static readonly TimeSpan LastBytes = TimeSpan.FromSeconds(30);

    // To close a socket with bytes unread makes the kernel break the connection, and the client may lose what it was sent last.
    static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    readonly Pipe _input, _output;
    readonly ReadySignal _readable = new(), _writable = new();
    readonly int _descriptor;
    ulong _token;
    UrgentData? _urgent;
    long _received, _sent;
    Task _receiving = Task.CompletedTask, _sending = Task.CompletedTask;
    ConnectionAbortedException? _aborted;
    bool _isIgnored, _isClosed, _isGone;

    bool IsOver => _aborted is not null || _isClosed;

    /// <summary>The client has left, or was sent away; the handler's token is cancelled, or will be in a moment.</summary>
    public bool HasGone
    {
        get => Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, value);
    }

    /// <summary>Begins to move bytes.</summary>
    public void Open()
    {
        _token = _loop.Watch(_descriptor, OnReady);
        if (LocalEndPoint is IPEndPoint)
            _urgent = UrgentData.Listen(_descriptor, () => Interruption.Interrupt(InterruptionCause.UrgentData));
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    void OnReady()
    {
        _readable.Set();
        _writable.Set();
        // Input that is not taken yet hides the end behind it.
        if (!HasGone && (HasBroken() || (!_options.HalfClose && SocketCalls.HasEnded(_descriptor))))
            Gone();
    }

    unsafe bool HasBroken()
    {
        var poll = new Libc.PollDescriptor(_descriptor, 0);
        return Libc.Poll(&poll, 1, 0) > 0;
    }

    async Task ReceiveAsync()
    {
        Exception? fault = null;
        for (var pieces = 1; ; pieces++)
        {
            var length = 0;
            var memory = _input.Writer.GetMemory(4096);
            while (!IsOver && (length = Receive(memory.Span)) == -Libc.EAGAIN)
                await _readable.WaitAsync().ConfigureAwait(false);
            fault = (Exception?)_aborted ?? (length < 0 ? Fault(length) : null);
            if (fault is not null || IsOver || length == 0)
                break;

            Interlocked.Add(ref _received, length);
            _input.Writer.Advance(length);
            if ((await _input.Writer.FlushAsync().ConfigureAwait(false)).IsCompleted)
                _isIgnored = true;   // the handler reads no more: what comes is thrown away
            if (pieces % ReceiveAtOnce == 0)
                await _loop.EnterAsync();
        }

        if (fault is not null)
            Gone();   // first: what the handler's read throws is then known to be the client's doing
        await _input.Writer.CompleteAsync(fault).ConfigureAwait(false);
        if (!_options.HalfClose)
            Gone();
    }

    int Receive(Span<byte> buffer)
    {
        if (_urgent is null)
            return SocketCalls.Receive(_descriptor, buffer);

        // A read that begins at an urgent byte steps over it, and one that finds nothing may begin there: so it is asked for before, and
        // nothing is read that is not known to be there.
        if (UrgentData.ReadableBefore(_descriptor) is > 0 and var length)
            return SocketCalls.Receive(_descriptor, buffer[..Math.Min(length, buffer.Length)]);
        var isAtMark = UrgentData.IsAtMark(_descriptor);
        _urgent.Ask();
        return isAtMark || SocketCalls.HasEnded(_descriptor) ? SocketCalls.Receive(_descriptor, buffer) : -Libc.EAGAIN;
    }

    async Task SendAsync()
    {
        Exception? fault = null;
        while (fault is null)
        {
            var read = await _output.Reader.ReadAsync().ConfigureAwait(false);
            foreach (var memory in read.Buffer)
            {
                for (var sent = 0; sent < memory.Length && fault is null;)
                {
                    var length = SocketCalls.Send(_descriptor, memory.Span[sent..]);
                    if (length == -Libc.EAGAIN && _aborted is null)
                        await _writable.WaitAsync().ConfigureAwait(false);
                    fault = (Exception?)_aborted ?? (length < 0 && length != -Libc.EAGAIN ? Fault(length) : null);
                    sent += Math.Max(0, length);
                    Interlocked.Add(ref _sent, Math.Max(0, length));
                }
            }

            _output.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
                break;
        }

        if (fault is not null)
            Gone();
        await _output.Reader.CompleteAsync(fault).ConfigureAwait(false);
    }

    static ConnectionResetException Fault(int error) => new("The client broke the connection.", new SocketException(-error));

    /// <summary>Ends it now: the client sees a broken connection. From any thread.</summary>
    public override void Abort(ConnectionAbortedException abortReason) => _loop.Schedule(_ => Break(abortReason), null);

    void Break(ConnectionAbortedException reason)
    {
        if (_aborted is not null || _isClosed)
            return;
        _aborted = reason;
        _readable.Set();
        _writable.Set();
        _input.Writer.CancelPendingFlush();
        _output.Reader.CancelPendingRead();
        Gone();
    }

    /// <summary>Cancels the handler's token: on its own thread for a loop's, on the thread pool for others, which must not hold the loop.</summary>
    void Gone()
    {
        if (Interlocked.Exchange(ref _isGone, true))
            return;
        if (_isOnLoop)
            _loop.Schedule(static gone => ((StreamConnection)gone!).Tell(), this, this);
        else
            CancelHandler();
    }

    /// <summary>Cancels the handler's token without the loop, which it may be holding. From any thread.</summary>
    public void CancelHandler() => ThreadPool.UnsafeQueueUserWorkItem(static gone => gone.Tell(), this, preferLocal: false);

    void Tell() => _watch.Cancel(_closed);

    /// <summary>Sends what is left and closes the socket, after the handler has ended.</summary>
    /// <param name="farewell">What TLS has to say at the end.</param>
    public async Task CloseAsync(Func<Task> farewell)
    {
        var saying = farewell();
        for (long sent = -1; !saying.IsCompleted; sent = _sent)
            await WaitAsync(saying, sent).ConfigureAwait(false);
        await _output.Writer.CompleteAsync().ConfigureAwait(false);
        await _input.Reader.CompleteAsync().ConfigureAwait(false);
        await _loop.EnterAsync();
        for (long sent = -1; !_sending.IsCompleted; sent = _sent)
            await WaitAsync(_sending, sent).ConfigureAwait(false);

        if (_aborted is null)
            await LingerAsync().ConfigureAwait(false);
        Drop();
        _readable.Set();
        Gone();
    }

    /// <summary>Closes the socket. On the loop's thread, or when that has ended.</summary>
    public void Drop()
    {
        if (_isClosed)
            return;
        _isClosed = true;
        _loop.Unwatch(_descriptor, _token);
        _urgent?.Dispose();
        using var socket = new Socket(new SafeSocketHandle(_descriptor, ownsHandle: true));
        if (_aborted is not null)
            socket.LingerState = new(enable: true, seconds: 0);   // broken, not ended: half an answer must not look whole
    }

    async ValueTask LingerAsync()
    {
        const int Sending = 1;
        _ = Shutdown(_descriptor, Sending);   // fails where the client has broken the connection, which is just as well
        if (_receiving.IsCompleted || (!_isIgnored && !_options.HalfClose))
            return;   // with HalfClose the client learns from our end that it is to end, and what it says until then breaks nothing
        await Task.WhenAny(_receiving, Task.Delay(Linger, TimeProvider.System)).ConfigureAwait(false);
        await _loop.EnterAsync();
    }

    // A task that ends when the client takes what it is sent.
    async ValueTask WaitAsync(Task task, long sentBefore)
    {
        if (sentBefore == _sent)
            Break(new("The client takes nothing of what is left for it."));
        await Task.WhenAny(task, Task.Delay(LastBytes, TimeProvider.System)).ConfigureAwait(false);
        await _loop.EnterAsync();
    }

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)] private static partial int Shutdown(int socket, int direction);
}
