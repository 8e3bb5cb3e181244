using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The parent's handle on a worker process.
/// <code>
///   caller ── Submit ──► ring of calls ──► WorkerProgram ──► Job.Execute
///   reader thread ◄──── ring of results ◄──┘        ▲
///   WorkerControl ───── socket: cancel, answers, descriptors
///   ChildProcess ─────► OnEnded: victims, unstarted
/// </code>
/// Nothing of it is shared with another worker, so a worker that dies costs exactly what it had started.
/// </summary>
[SupportedOSPlatform("linux")]
sealed partial class OsProcessWorker : ProcessWorker
{
    readonly WorkerMemory _memory;
    readonly WorkerControl _control;
    readonly ChildProcess _child;
    readonly WorkerOutput _output;

    readonly Lock _send = new();
    readonly RingSender _sender;
    readonly Action _whileFull;
    readonly Func<bool> _mayGiveUp;
    WorkItem? _sent;   // the last one, or the one that is being sent
    int _sentSlot;

    readonly Lock _receive = new();
    readonly RingReceiver _receiver;

    readonly Lock _slots = new();
    readonly WorkItem?[] _items = new WorkItem?[WorkerMemory.Slots];
    int _held, _lastSlot;
    volatile bool _ended, _broken;

    const int SigKill = 9;

    OsProcessWorker(string id, IWorkerOwner owner, WorkerMemory memory, WorkerControl control, ChildProcess child, WorkerOutput output, MemoryLimit? limit)
        : base(id, owner, control)
    {
        MemoryLimit = limit;
        _memory = memory;
        _control = control;
        _child = child;
        _output = output;
        _sender = new(memory.Calls);
        _receiver = new(memory.Results);
        _whileFull = ReceiveWhileSending;
        _mayGiveUp = MayGiveUp;
    }

    /// <summary>Of the operating system.</summary>
    public override int ProcessId => _child.Id;

    /// <summary>Calls it holds, started or not.</summary>
    public override int Held => Volatile.Read(ref _held);

    public override long TakenIn => (long)_memory.Calls.Released;

    /// <summary>How it is held to its memory limit; null without one.</summary>
    MemoryLimit? MemoryLimit { get; }

    string TemporaryFolder { get; init; } = "";

    public override MemoryLimitKind? MemoryLimitKind => MemoryLimit?.Kind;

    public override bool HasEnded => _ended;

    /// <summary>Starts one; returns when the process exists, before it is ready.</summary>
    /// <exception cref="PlaceException">It cannot be started.</exception>
    public static OsProcessWorker Start(string id, IWorkerOwner owner, ProcessOptions options)
    {
        var limit = MemoryLimit.For(options.MemoryLimit);
        WorkerMemory? memory = null;
        DescriptorSocket? here = null, there = null;
        WorkerOutput? output = null;
        try
        {
            memory = WorkerMemory.Create();
            (here, there) = DescriptorSocket.Pair();
            output = WorkerOutput.Create(options);
            var child = WorkerStart.Start(id, memory, there, output.OutputEnd, output.ErrorEnd, options, limit?.Cgroup);
            var worker = new OsProcessWorker(id, owner, memory, new(here), child, output, limit)
            {
                TemporaryFolder = options.Environment.GetValueOrDefault("TMPDIR") ?? Path.GetTempPath(),
            };
            output.OnFailure = error => owner.OnHandlerFailed(worker, error);
            output.Begin();
            memory.CloseDescriptor();
            new Thread(worker.Receive, 256 * 1024) { IsBackground = true, Name = $"skein-{id}" }.UnsafeStart();   // what is called there is not of the activity that made the pool grow
            child.OnExit(worker.OnExit);
            WarmUp.Begin();
            limit?.Watch(child.Id, () => worker.Kill(ExitCause.OutOfMemory));
            return worker;
        }
        catch (Exception error)
        {
            memory?.GiveBack();
            here?.Dispose();
            output?.Abandon();
            limit?.Dispose();
            if (error is LinuxException)
                throw new PlaceException($"Worker {id} could not be started: {error.Message}. Descriptors or memory of this process may be exhausted.", error);
            throw;
        }
        finally
        {
            there?.Dispose();
        }
    }

    public override List<WorkItem> Calls()
    {
        lock (_slots)
            return [.. _items.Where(static item => item is not null).Select(static item => item!)];
    }

    /// <summary>Calls that are not started, youngest last.</summary>
    public override List<WorkItem> Unstarted()
    {
        lock (_slots)
        {
            return [.. _items.Where(item => item is not null && Volatile.Read(ref _memory.Slot(item.Slot)) == SlotState.Queued)
                .Select(item => item!).OrderBy(item => item.EnqueuedAt)];
        }
    }

    /// <summary>The call that runs, when it (or its current item) was started, and which item of a chunk that is; null when none runs.</summary>
    public override (WorkItem Item, long StartedAt, int ChunkItem)? Running
    {
        get
        {
            var slot = _memory.RunningSlot;
            if (slot >= WorkerMemory.Slots)
                return null;
            lock (_slots)
                return _items[slot] is { } item ? (item, _memory.StartedAt, _memory.RunningItem) : null;
        }
    }

    protected override bool Holds(WorkItem item) => Volatile.Read(ref _items[item.Slot]) == item;
}
