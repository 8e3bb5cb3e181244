using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Skein;

/// <summary>
/// Reads what children print. One thread waits for all pipes (epoll); a pipe that has something is read on the thread pool and
/// watched again afterwards, so a slow reader holds up its own pipe only.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class OutputPump
{
    const int ReadSize = 64 * 1024;

    static readonly Lazy<OutputPump> Shared = new(() => new());

    readonly int _poll = Libc.Check(Create(Libc.CloseOnExec), "epoll_create1");
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
        _ = Libc.Control(descriptor, 4 /* F_SETFL */, Libc.NonBlocking);
        lock (pump._pipes)
            pump._pipes[descriptor] = pipe;
        pump.Arm(AddOperation, descriptor);
        return pipe.Ended.Task;
    }

    void Watch()
    {
        var events = stackalloc Event[64];
        while (true)
        {
            var count = Wait(_poll, events, 64, -1);
            for (var i = 0; i < count; i++)
            {
                Pipe? pipe;
                lock (_pipes)
                    _pipes.TryGetValue(events[i].Descriptor, out pipe);
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
                    Arm(ModifyOperation, pipe.Descriptor);
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
        _ = Libc.Close(pipe.Descriptor);   // also removes it from the poll
        if (error is null)
            pipe.Ended.SetResult();
        else
            pipe.Ended.SetException(error);
    }

    void Arm(int operation, int descriptor)
    {
        var wanted = new Event { Events = Readable | OneShot, Descriptor = descriptor };
        Libc.Check(Change(_poll, operation, descriptor, &wanted), "epoll_ctl");
    }

    sealed class Pipe(int descriptor, Action<ReadOnlySpan<byte>> sink)
    {
        public int Descriptor => descriptor;

        public Action<ReadOnlySpan<byte>> Sink => sink;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    const int AddOperation = 1, ModifyOperation = 3;
    const uint Readable = 1, OneShot = 1u << 30;

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    struct Event
    {
        public uint Events;
        public int Descriptor, Unused;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)] private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)] private static partial int Change(int poll, int operation, int descriptor, Event* wanted);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)] private static partial int Wait(int poll, Event* events, int count, int milliseconds);
}

/// <summary>Cuts bytes into lines; keeps the last ones.</summary>
sealed class LineSink(Action<string> onLine)
{
    const int Kept = 20;
    const int LongestLine = 64 * 1024;   // a program that prints no line ends must not fill our memory

    readonly Queue<string> _last = new();
    readonly ArrayBufferWriter<byte> _partial = new();

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            Line(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }

        _partial.Write(bytes);
        if (_partial.WrittenCount > LongestLine)
            Line([]);
    }

    /// <summary>What was printed without an end of line is a line too.</summary>
    public void Complete()
    {
        if (_partial.WrittenCount > 0)
            Line([]);
    }

    public string LastLines
    {
        get
        {
            lock (_last)
                return string.Join(Environment.NewLine, _last);
        }
    }

    void Line(ReadOnlySpan<byte> end)
    {
        _partial.Write(end);
        var line = Encoding.UTF8.GetString(_partial.WrittenSpan).TrimEnd('\r');
        _partial.ResetWrittenCount();
        lock (_last)
        {
            _last.Enqueue(line);
            if (_last.Count > Kept)
                _last.Dequeue();
        }

        onLine(line);
    }
}
