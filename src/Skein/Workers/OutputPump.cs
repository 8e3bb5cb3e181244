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

    static readonly Lazy<OutputPump> Shared = new(() => new());

    static readonly Epoll Poll = new();   // as long as the process
    readonly Dictionary<int, Pipe> _pipes = [];

    OutputPump() => new Thread(Watch, 128 * 1024) { IsBackground = true, Name = "skein-output" }.Start();

    /// <summary>
    /// Reads a pipe to its end. The sink gets the bytes in order, one call at a time, on a thread of the pool; the task completes after
    /// the last one. The pump owns the descriptor.
    /// </summary>
    public static Task ReadAsync(int descriptor, Action<ReadOnlySpan<byte>> sink)
    {
        var pipe = new Pipe(descriptor, sink);
        var pump = Shared.Value;
        Descriptor.NeverWait(descriptor);
        lock (pump._pipes)
            pump._pipes[descriptor] = pipe;
        Poll.Add(descriptor, Wanted, (ulong)descriptor);
        return pipe.Ended.Task;
    }

    void Watch()
    {
        Span<ulong> ready = stackalloc ulong[64];
        while (true)
        {
            foreach (var descriptor in ready[..Poll.Wait(ready)])
            {
                Pipe? pipe;
                lock (_pipes)
                    _pipes.TryGetValue((int)descriptor, out pipe);
                if (pipe is not null)
                    ThreadPool.UnsafeQueueUserWorkItem(static state => state.Pump.Read(state.Pipe), (Pump: this, Pipe: pipe), preferLocal: false);
            }
        }
    }

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
                if (length > 0)
                {
                    pipe.Sink(buffer.AsSpan(0, (int)length));
                    continue;
                }

                if (length < 0 && Marshal.GetLastPInvokeError() is Libc.EAGAIN or Libc.EINTR)
                {
                    Poll.Change(pipe.Descriptor, Wanted, (ulong)pipe.Descriptor);
                    return;
                }

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
            _pipes.Remove(pipe.Descriptor);
        Poll.Remove(pipe.Descriptor);
        _ = Libc.Close(pipe.Descriptor);
        if (error is null)
            pipe.Ended.SetResult();
        else
            pipe.Ended.SetException(error);
    }

    sealed class Pipe(int descriptor, Action<ReadOnlySpan<byte>> sink)
    {
        public int Descriptor => descriptor;

        public Action<ReadOnlySpan<byte>> Sink => sink;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
