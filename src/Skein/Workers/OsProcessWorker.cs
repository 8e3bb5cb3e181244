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
sealed class OsProcessWorker : Worker
{
    readonly IWorkerOwner _owner;
    readonly WorkerMemory _memory;
    readonly WorkerControl _control;
    readonly ParentReferences _references;
    readonly ChildProcess _child;
    readonly WorkerOutput _output;
    readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    readonly Lock _send = new();
    readonly GraphWriter _writer = new(new GraphSession());
    readonly RingSender _sender;

    readonly Lock _receive = new();
    readonly GraphReader _reader = new(new GraphSession());
    readonly RingReceiver _receiver;
    readonly OrderedQueue _deliveries = new();

    readonly Lock _slots = new();
    readonly WorkItem?[] _items = new WorkItem?[WorkerMemory.Slots];
    int _held, _lastSlot;
    volatile bool _ended, _broken;
    int _intent = NoIntent;

    const int NoIntent = -1, SigKill = 9;

    OsProcessWorker(string id, IWorkerOwner owner, WorkerMemory memory, WorkerControl control, ChildProcess child, WorkerOutput output, MemoryLimit? limit)
    {
        Id = id;
        MemoryLimit = limit;
        _owner = owner;
        _memory = memory;
        _control = control;
        _child = child;
        _output = output;
        _references = new(control, _deliveries);
        _writer.Context = _references;
        _sender = new(memory.Calls);
        _receiver = new(memory.Results);
    }

    public override string Id { get; }

    /// <summary>Of the operating system.</summary>
    public override int ProcessId => _child.Id;

    /// <summary>Completes when the worker serves calls; fails when it ended before.</summary>
    public override Task Ready => _ready.Task;

    /// <summary>Completes after <see cref="IWorkerOwner.OnEnded"/>.</summary>
    public override Task<Exit> Exited => _exited.Task;

    /// <summary>Calls it holds, started or not.</summary>
    public override int Held => Volatile.Read(ref _held);

    /// <summary>How it is held to its memory limit; null without one.</summary>
    MemoryLimit? MemoryLimit { get; }

    string TemporaryFolder { get; init; } = "";

    public override MemoryLimitKind? MemoryLimitKind => MemoryLimit?.Kind;

    public override bool HasEnded => _ended;

    /// <summary>Starts one; returns when the process exists, before it is ready.</summary>
    /// <exception cref="PlaceException">It cannot be started.</exception>
    public static OsProcessWorker Start(string id, IWorkerOwner owner, ProcessOptions options)
    {
        Surrogates.Register();
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
            new Thread(worker.Receive, 256 * 1024) { IsBackground = true, Name = $"skein-{id}" }.Start();
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

    /// <summary>
    /// Sends a call. False when the worker has no room or has ended: then the item is as it was. An item that cannot be sent at all
    /// (it holds what cannot travel) is failed, and true is returned: it is dealt with.
    /// </summary>
    public override bool Submit(WorkItem item)
    {
        lock (_send)
        {
            if (_ended || !TryTakeSlot(item))
                return false;
            _writer.Begin();
            _references.Begin(item.References);
            try
            {
                _writer.WriteByte((byte)WorkerFrame.Call);
                _writer.WriteByte((byte)item.Slot);
                _writer.WriteText(item.Trace);
                _writer.Write(item.Job);
            }
            catch (Exception error)
            {
                _writer.Abandon();
                _references.Abandon();
                FreeSlot(item.Slot);
                item.Worker = null;
                item.Fail(error);
                return true;
            }

            Volatile.Write(ref _memory.Slot(item.Slot), SlotState.Queued);
            _sender.Send(_writer.Written.Span, ReceiveWhileSending);   // closed: OnExit hands the item on
            _references.Sent();
            return true;
        }
    }

    /// <summary>
    /// Looks for results on the calling thread as long as that may pay, in place of the thread that would have to be woken for them.
    /// </summary>
    public override void Poll(WorkItem item, ref SpinPolicy spin)
    {
        if (!_receive.TryEnter())
            return;
        var freed = 0;
        try
        {
            _memory.Results.HushWakeUps();
            while (!item.IsCompleted && !_broken && spin.Look(_memory.Results))
                freed += Drain();
            while (!_memory.Results.AnnounceSleep() && !_broken)
                freed += Drain();
        }
        finally
        {
            _receive.Exit();
        }

        if (freed > 0)
            _owner.OnRoom(this);
    }

    /// <summary>Takes back a call that was not started yet. False when it was: then it runs, or has ended.</summary>
    public override bool TryRevoke(WorkItem item)
    {
        lock (_slots)
        {
            if (_items[item.Slot] != item ||
                Interlocked.CompareExchange(ref _memory.Slot(item.Slot), SlotState.Revoked, SlotState.Queued) != SlotState.Queued)
            {
                return false;
            }

            _items[item.Slot] = null;   // the slot itself is free again when the worker has skipped the call
            Interlocked.Decrement(ref _held);
            item.Worker = null;
            item.References.Clear();
            return true;
        }
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

    /// <summary>Asks the function of a call to stop.</summary>
    public override void AskToStop(WorkItem item)
    {
        if (Volatile.Read(ref _items[item.Slot]) == item)   // else the slot is another's by now
            _control.Send(WorkerFrame.StopCall, item.Slot);
    }

    /// <summary>Ends the worker when the calls it has are done.</summary>
    public override void End()
    {
        _control.Send(WorkerFrame.End, 0);
    }

    /// <summary>Kills the worker and all that it started. <see cref="Exited"/> completes when it is gone.</summary>
    public override void Kill(ExitCause cause)
    {
        Interlocked.CompareExchange(ref _intent, (int)cause, NoIntent);
        _child.Kill();
    }

    /// <summary>Sends the worker a signal.</summary>
    public override void Signal(int signal) => _child.Signal(signal);

    void Receive()
    {
        while (true)
        {
            int freed;
            lock (_receive)
                freed = Drain();
            if (freed > 0)
                _owner.OnRoom(this);
            if (_memory.Results.IsClosed || _broken)
                return;
            _memory.Results.SleepUntilReadable();
        }
    }

    // While the ring of calls is full the worker may itself be waiting for room in the ring of results.
    void ReceiveWhileSending()
    {
        // What hears of the ends of workers gives their tasks to others, and then is who sends: nobody else would close the ring.
        if (_child.HasEnded)
            _memory.Calls.Close();
        if (!_receive.TryEnter())
            return;
        try
        {
            Drain();
        }
        finally
        {
            _receive.Exit();
        }
    }

    /// <summary>Takes all messages that are there. Returns how many calls have ended. Under the receiving lock.</summary>
    int Drain()
    {
        var freed = 0;
        try
        {
            while (!_broken && _receiver.TryReceive(out var message))   // after what could not be read, nothing else means what it says
                freed += Take(message) ? 1 : 0;
        }
        catch (Exception error)
        {
            _broken = true;   // also where it has ended: who looks again would find the same remains, for ever
            if (_ended)
                return freed;

            // A worker that sends what cannot be read has lost its senses (or a stranger writes in its memory): replace it.
            _output.Note($"skein: worker {Id} sent what cannot be read: {error.Message}");
            Kill(ExitCause.Lost);
        }

        return freed;
    }

    bool Take(ArraySegment<byte> message)
    {
        _reader.Begin(message.Array!, message.Offset, message.Count);
        var kind = (WorkerFrame)_reader.ReadByte();
        var number = (int)_reader.ReadNumber();
        var second = _reader.ReadNumber();
        switch (kind)
        {
            case WorkerFrame.Result:
                var finished = Item(number);
                finished.Cost = second;
                finished.Succeed(_reader);
                Finish(finished);
                return true;
            case WorkerFrame.Fault:
                var failed = Item(number);
                failed.Cost = second;
                failed.FailAfterReports((_reader.Read<FaultRecord?>() ?? throw new InvalidDataException("a fault without a description")).ToException());
                Finish(failed);
                return true;
            case WorkerFrame.Progress when _references.Find(number) is ProgressTarget progress:
                _deliveries.Add(progress.Read(_reader));
                return false;
            case WorkerFrame.Callback when _references.Find(number) is CallbackTarget callback:
                _ = AnswerAsync(callback, (int)second, callback.ReadArgument(_reader));
                return false;
            case WorkerFrame.Ready:
                SetReady(_reader.ReadText(), new(lower: _reader.ReadNumber(), upper: _reader.ReadNumber()));
                return false;
            default:
                throw new InvalidDataException($"unexpected {kind} {number}");
        }
    }

    void SetReady(string entry, UInt128 version)
    {
        try
        {
            ModuleCheck.VerifyEntry(Id, entry, version);
            _ready.TrySetResult();
        }
        catch (PlaceException error)
        {
            _ready.TrySetException(error);
            Kill(ExitCause.Killed);
        }
    }

    async Task AnswerAsync(CallbackTarget callback, int request, object? argument)
    {
        var answer = await Task.Run(() => callback.AnswerAsync(argument)).ConfigureAwait(false);
        _control.SendAnswer(request, answer);
    }

    WorkItem Item(int slot) => (uint)slot < (uint)_items.Length && Volatile.Read(ref _items[slot]) is { } item
        ? item
        : throw new InvalidDataException($"a result for slot {slot}, which has no call");

    void Finish(WorkItem item)
    {
        Count(item);
        Volatile.Write(ref _memory.Slot(item.Slot), SlotState.Free);
        FreeSlot(item.Slot);
    }

    bool TryTakeSlot(WorkItem item)
    {
        lock (_slots)
        {
            // Slots are freed in the order in which they were taken: the next one is nearly always free.
            for (var turn = 1; turn <= _items.Length; turn++)
            {
                var slot = (_lastSlot + turn) % _items.Length;
                if (_items[slot] is null && Volatile.Read(ref _memory.Slot(slot)) == SlotState.Free)
                {
                    _items[slot] = item;
                    _lastSlot = slot;
                    Interlocked.Increment(ref _held);
                    item.Worker = this;
                    item.Slot = slot;
                    return true;
                }
            }

            return false;
        }
    }

    void FreeSlot(int slot)
    {
        lock (_slots)
        {
            if (_items[slot] is null)
                return;
            _items[slot] = null;
            Interlocked.Decrement(ref _held);
        }
    }

    // On the watching thread, as soon as the kernel says that the process has ended.
    void OnExit(ExitStatus status)
    {
        _memory.Calls.Close();
        lock (_receive)
            Drain();
        List<WorkItem> victims = [], unstarted = [];
        lock (_send)
            _ended = true;
        lock (_slots)
        {
            for (var slot = 0; slot < _items.Length; slot++)
            {
                if (_items[slot] is not { } item)
                    continue;
                _items[slot] = null;
                item.Worker = null;
                item.References.Clear();
                item.LostAt = _memory.RunningItem;
                (Volatile.Read(ref _memory.Slot(slot)) == SlotState.Running ? victims : unstarted).Add(item);
            }

            _held = 0;
        }

        _memory.Results.Close();
        if (victims.Count > 0 && status is not { Signal: SigKill })
            _output.AwaitLastWords();
        var exit = ToExit(status);
        _owner.OnEnded(this, exit, victims, unstarted);
        if (!_ready.Task.IsCompleted)
            _ready.TrySetException(new PlaceException($"Worker {Id} {exit.Describe()} It was not ready yet. {exit.StandardError}"));
        _ = CleanUpAsync(exit);
    }

    Exit ToExit(ExitStatus status)
    {
        var cause = status.Signal == 0 ? ExitCause.Returned : ExitCause.Signalled;
        if (status.Signal != 0 && _intent != NoIntent)
            cause = (ExitCause)_intent;
        else if (status.Signal == 9 && MemoryLimit?.WasExceeded == true)
            cause = ExitCause.OutOfMemory;
        return new(cause, status.Code, status.Signal, status.Use, _output.LastErrors);
    }

    async Task CleanUpAsync(Exit exit)
    {
        // What the worker started has no use without it.
        _child.Kill();
        if (exit.Signal != 0)
            RuntimeFiles.Remove(ProcessId, TemporaryFolder);
        await _output.Drained.ConfigureAwait(false);
        _references.Close();
        _control.Dispose();
        _child.Dispose();
        MemoryLimit?.Dispose();
        _exited.TrySetResult(exit with { StandardError = _output.LastErrors });
        _memory.GiveBack();
    }
}
