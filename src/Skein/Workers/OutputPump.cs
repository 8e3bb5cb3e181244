using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Reads what children print. One thread waits for all pipes (epoll); a pipe that has something is read on the thread pool and
/// watched again afterwards, so a slow reader holds up its own pipe only.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe class OutputPump
{
    const int ReadSize = 64 * 1024;
    const uint Wanted = Epoll.In | Epoll.OneShot;

    static readonly Lock Gate = new();
    static OutputPump? _shared;   // as long as the process

    readonly Epoll _poll;
    readonly Dictionary<ulong, Pipe> _pipes = [];   // by a number of their own: that of a descriptor is soon another's
    ulong _last;

    OutputPump(Epoll poll) => _poll = poll;

    /// <summary>Made for the first pipe. Where that fails, as without a descriptor left, it is tried again for the next one.</summary>
    static OutputPump Shared
    {
        get
        {
            lock (Gate)
                return _shared ??= Start();
        }
    }

    /// <summary>
    /// Reads a pipe to its end. The sink gets the bytes in order, one call at a time, on a thread of the pool; the task completes after
    /// the last one. The pump owns the descriptor.
    /// </summary>
    /// <param name="over">The program has ended for good: what is in the pipe is still taken, and no more is waited for, whoever else may hold it open.</param>
    public static Task ReadAsync(int descriptor, Action<ReadOnlySpan<byte>> sink, CancellationToken over = default)
    {
        try
        {
            Descriptor.NeverWait(descriptor);
            return Shared.Begin(new(descriptor, sink), over);
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    static OutputPump Start()
    {
        var pump = new OutputPump(new());
        new Thread(pump.Watch, 128 * 1024) { IsBackground = true, Name = "skein-output" }.Start();
        return pump;
    }

    Task Begin(Pipe pipe, CancellationToken over)
    {
        lock (_pipes)
            _pipes[pipe.Token = ++_last] = pipe;
        try
        {
            _poll.Add(pipe.Descriptor, Wanted, pipe.Token);
        }
        catch
        {
            lock (_pipes)
                _pipes.Remove(pipe.Token);
            throw;
        }

        over.UnsafeRegister(_ => WaitNoLonger(pipe), null);
        return pipe.Ended.Task;
    }

    void Watch()
    {
        Span<ulong> ready = stackalloc ulong[64];
        while (true)
        {
            foreach (var token in ready[.._poll.Wait(ready)])
            {
                Pipe? pipe;
                lock (_pipes)
                    _pipes.TryGetValue(token, out pipe);
                if (pipe?.TryTake() == true)
                    ReadSoon(pipe);
            }
        }
    }

    void WaitNoLonger(Pipe pipe)
    {
        pipe.BeOver();
        if (pipe.TryTake())
            ReadSoon(pipe);   // else who reads it finds it so
    }

    void ReadSoon(Pipe pipe) =>
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.Pump.Read(state.Pipe), (Pump: this, Pipe: pipe), preferLocal: false);

    void Read(Pipe pipe)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            while (true)
            {
                nint length;
                fixed (byte* bytes = buffer)
                    length = Libc.Read(pipe.Descriptor, bytes, ReadSize);
                var failure = length < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (length > 0)
                    pipe.Sink(buffer.AsSpan(0, (int)length));
                if (failure == Libc.EINTR || (length > 0 && !pipe.IsOthers((int)length)))
                    continue;
                if (failure != Libc.EAGAIN || !pipe.TryGiveBack(_poll))
                    End(pipe, null);
                return;
            }
        }
        catch (Exception error)
        {
            End(pipe, error);   // of the sink: the child will notice by its broken pipe
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    void End(Pipe pipe, Exception? error)
    {
        lock (_pipes)
            _pipes.Remove(pipe.Token);
        _poll.Remove(pipe.Descriptor);
        _ = Libc.Close(pipe.Descriptor);
        if (error is null)
            pipe.Ended.SetResult();
        else
            pipe.Ended.SetException(error);
    }

    sealed class Pipe(int descriptor, Action<ReadOnlySpan<byte>> sink)
    {
        /// <summary>The most that a pipe holds, unless its user is privileged. All that a program has left in it is in there.</summary>
        const int Capacity = 1 << 20;

        readonly Lock _gate = new();
        volatile bool _isOver;
        bool _isTaken;   // somebody reads it, or has come to its end
        int _afterEnd;

        public ulong Token { get; set; }

        public int Descriptor => descriptor;

        public Action<ReadOnlySpan<byte>> Sink => sink;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Whether nobody reads it: then the caller does.</summary>
        public bool TryTake()
        {
            lock (_gate)
                return !_isTaken && (_isTaken = true);
        }

        /// <summary>It is empty: from now on it is watched. False where no more is waited for.</summary>
        public bool TryGiveBack(Epoll poll)
        {
            lock (_gate)
            {
                if (_isOver)
                    return false;
                poll.Change(descriptor, Wanted, Token);
                _isTaken = false;
                return true;
            }
        }

        public void BeOver() => _isOver = true;

        /// <summary>Whether so much was read after the end of its program that somebody else must be writing.</summary>
        public bool IsOthers(int length) => _isOver && (_afterEnd += length) > Capacity;
    }
}
