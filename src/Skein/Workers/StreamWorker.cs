using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>
/// The parent's handle on a worker process that is connected by a stream of bytes. It needs nothing of a particular operating system, and
/// holds one call at a time.
/// <code>
///   caller ── Submit ──► frames ──► StreamProgram ──► Job.Execute
///   receiving thread ◄── frames ◄──┘       ▲
///   StreamControl ──────► frames: cancel, answers
///   PortableChild ──────► OnEnded: the victim, or the call that it had not started
/// </code>
/// </summary>
sealed class StreamWorker : ProcessWorker
{
    // What a worker that has ended had sent is read in this time; and a worker whose stream has ended ends itself in this time.
    static readonly TimeSpan Remains = TimeSpan.FromSeconds(5);

    static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    readonly ProcessOptions _options;
    readonly WorkerPipe _pipe;
    readonly PortableChild _child;
    readonly LineSink _output, _errors;
    readonly StreamControl _control;
    readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);

    readonly Lock _send = new();
    readonly Lock _gate = new();
    WorkItem? _item;
    byte _slot;
    bool _started;
    long _startedAt;
    int _chunkItem;
    volatile bool _ended, _sending;

    StreamWorker(string id, IWorkerOwner owner, StreamControl control, ProcessOptions options, WorkerPipe pipe, PortableChild child)
        : base(id, owner, control)
    {
        _control = control;
        _options = options;
        _pipe = pipe;
        _child = child;
        _output = new(Guarded(options.OnOutput ?? Console.Out.WriteLine));
        _errors = new(Guarded(options.OnError ?? Console.Error.WriteLine));
    }

    public override int ProcessId => _child.Id;

    public override bool HasEnded => _ended;

    public override int Held => Volatile.Read(ref _item) is null ? 0 : 1;

    public override bool GainsFromCallsAhead => false;

    // How much of a long call has arrived is not known.
    public override long TakenIn => _sending ? base.TakenIn : 0;

    public override MemoryLimitKind? MemoryLimitKind => _options.MemoryLimit is null ? null : Skein.MemoryLimitKind.HeapLimitAndWatch;

    public override (WorkItem Item, long StartedAt, int ChunkItem)? Running
    {
        get
        {
            lock (_gate)
                return _item is { } item && _started ? (item, _startedAt, _chunkItem) : null;
        }
    }

    /// <summary>Starts one; returns when the process exists, before it is ready.</summary>
    /// <exception cref="PlaceException">It cannot be started.</exception>
    public static StreamWorker Start(string id, IWorkerOwner owner, ProcessOptions options)
    {
        WorkerPipe? pipe = null;
        try
        {
            pipe = new();
            var child = PortableChild.Start(WorkerStart.Describe(id, pipe, options), options);
            var worker = new StreamWorker(id, owner, new(), options, pipe, child);
            worker.Begin();
            return worker;
        }
        catch (Exception error)
        {
            pipe?.Dispose();
            if (error is Win32Exception or IOException)
                throw new PlaceException($"Worker {id} could not be started: {error.Message}", error);
            throw;
        }
    }

    public override bool Submit(WorkItem item)
    {
        lock (_send)
        {
            if (!TryTake(item))
                return false;
            if (!TryWrite(item))
                return true;
            _sending = true;
            _control.Send(Call.Written.Span);
            _sending = false;
            References.Sent();
            return true;
        }
    }

    public override bool TryRevoke(WorkItem item) => false;

    public override List<WorkItem> Calls() => Volatile.Read(ref _item) is { } item ? [item] : [];

    public override List<WorkItem> Unstarted() => [];

    protected override void KillProcess() => _child.Kill();

    protected override bool Holds(WorkItem item) => Volatile.Read(ref _item) == item;

    public override void Signal(int signal) => _child.Signal(signal);

    void Begin()
    {
        _child.Input.Dispose();   // the caller's standard input is the caller's
        var drained = Task.WhenAll(DrainAsync(_child.Output, _output), DrainAsync(_child.Errors, _errors));
        if (_options.MemoryLimit is { } limit)
            _child.WatchMemory(limit, () => Kill(ExitCause.OutOfMemory));
        _ = FollowAsync(drained);
    }

    Action<string> Guarded(Action<string> handler) => line =>
    {
        try
        {
            handler(line);
        }
        catch (Exception error)
        {
            Owner.OnHandlerFailed(this, error);
        }
    };

    async Task DrainAsync(Stream stream, LineSink lines)
    {
        try
        {
            await _child.ForwardAsync(stream, lines.Write).ConfigureAwait(false);
            lines.Complete();
        }
        catch (Exception)
        {
            // The pipe cannot be read any more: what the worker prints goes nowhere, and it lives on.
        }
    }

    async Task FollowAsync(Task drained)
    {
        using var over = new CancellationTokenSource();
        var connecting = ConnectAsync(over.Token);
        var status = await _child.Exited.ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await connecting.ConfigureAwait(false);
        await Task.WhenAny(_received.Task, Task.Delay(Remains, CancellationToken.None)).ConfigureAwait(false);
        ProcessFamily.EndRemains(ProcessId);
        await Task.WhenAny(drained, Task.Delay(LastWords, CancellationToken.None)).ConfigureAwait(false);   // why it broke down stands in its last lines
        OnExit(status with { Use = _child.Use }, out var exit);
        if (exit.Signal != 0)
            RuntimeFiles.Remove(ProcessId, _options.Environment.GetValueOrDefault("TMPDIR") ?? Path.GetTempPath());
        await drained.ConfigureAwait(false);
        _pipe.Dispose();
        _child.Dispose();
        SetExited(exit with { StandardError = _errors.LastLines });
    }

    async Task ConnectAsync(CancellationToken cancellation)
    {
        try
        {
            _control.Frames = new(await _pipe.AcceptAsync(cancellation).ConfigureAwait(false));
            new Thread(Receive, 256 * 1024) { IsBackground = true, Name = $"skein-{Id}" }.UnsafeStart();
        }
        catch (Exception error)
        {
            _received.TrySetResult();
            if (error is OperationCanceledException)
                return;   // it has ended before it connected: its status says why
            Note(error.Message);
            Kill(ExitCause.Lost);
        }
    }

    void Receive()
    {
        try
        {
            while (_control.Frames!.Read() is { } frame)
            {
                if (Take(Message(frame)))
                    Owner.OnRoom(this);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // it has ended
        }
        catch (Exception error)
        {
            // A worker that sends what cannot be read has lost its senses: replace it.
            if (!_ended)
                Note($"skein: worker {Id} sent what cannot be read: {error.Message}");
            Kill(ExitCause.Lost);
        }

        _received.TrySetResult();
        _ = EndAsync();
    }

    // A stream ends with its process. One whose stream is closed and that lives on is of no use to anybody.
    async Task EndAsync()
    {
        if (await Task.WhenAny(_child.Exited, Task.Delay(Remains)).ConfigureAwait(false) != _child.Exited)
            Kill(ExitCause.Lost);
    }

    static ArraySegment<byte> Message(Frame frame) => frame.Kind == FrameKind.Message && MemoryMarshal.TryGetArray(frame.Body, out var message)
        ? message
        : throw new InvalidDataException($"unexpected frame {frame.Kind}");

    protected override void TakeOther(WorkerFrame kind, ulong first, ulong second, GraphReader rest)
    {
        switch (kind)
        {
            case WorkerFrame.Item:
                rest.ReadNumber();
                Start(Item((int)first), (int)second - 1);
                break;
            case WorkerFrame.Use:
                _child.Note(new(TimeSpan.FromMicroseconds(first), TimeSpan.FromMicroseconds(second), (long)rest.ReadNumber(), false, 0, 0, 0, 0));
                break;
            default:
                base.TakeOther(kind, first, second, rest);
                break;
        }
    }

    bool TryTake(WorkItem item)
    {
        lock (_gate)
        {
            if (_ended || _item is not null || _control.Frames is null)
                return false;
            _item = item;
            _started = false;
            item.Worker = this;
            item.Slot = ++_slot;
            return true;
        }
    }

    void Start(WorkItem item, int chunkItem)
    {
        lock (_gate)
        {
            if (_item != item)
                return;
            _started = true;
            _chunkItem = chunkItem;
            _startedAt = Stopwatch.GetTimestamp();
        }
    }

    protected override WorkItem Item(int slot)
    {
        lock (_gate)
            return _item is { } item && item.Slot == slot ? item : throw new InvalidDataException($"a result for call {slot}, which it does not have");
    }

    protected override void Release(WorkItem item)
    {
        lock (_gate)
            _item = null;
    }

    void OnExit(ExitStatus status, out Exit exit)
    {
        List<WorkItem> victims = [], unstarted = [];
        lock (_gate)
        {
            _ended = true;
            if (_item is { } item)
            {
                _item = null;
                item.Worker = null;
                item.DropReferences();
                item.LostAt = _started ? _chunkItem : -1;
                (_started ? victims : unstarted).Add(item);
            }
        }

        exit = ToExit(status);
        TellEnd(exit, victims, unstarted);
    }

    Exit ToExit(ExitStatus status)
    {
        var cause = status.Signal == 0 ? ExitCause.Returned : ExitCause.Signalled;
        if (Intent is { } intent && (status.Signal != 0 || (OperatingSystem.IsWindows() && status.Code != 0)))
            cause = intent;
        return new(cause, status.Code, status.Signal, status.Use, _errors.LastLines);
    }

    void Note(string line) => _errors.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
}
