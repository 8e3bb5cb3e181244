namespace Skein;

/// <summary>
/// The parent's handle on a worker that is a process: what a call is made of, and what becomes of an answer, whichever way they travel.
/// </summary>
abstract class ProcessWorker : Worker
{
    const int NoIntent = -1;

    readonly ControlSender _control;
    readonly GraphReader _reader = new(new GraphSession());
    readonly OrderedQueue _deliveries = new();
    readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _intent = NoIntent;

    protected ProcessWorker(string id, IWorkerOwner owner, ControlSender control)
    {
        Id = id;
        Owner = owner;
        _control = control;
        References = new(control, _deliveries);
        Call = new(new GraphSession()) { Context = References };
    }

    public sealed override string Id { get; }

    public sealed override Task Ready => _ready.Task;

    public sealed override Task<Exit> Exited => _exited.Task;

    protected IWorkerOwner Owner { get; }

    protected ParentReferences References { get; }

    /// <summary>The call that is being sent. The connection's sending lock is held.</summary>
    protected GraphWriter Call { get; }

    /// <summary>Why it was killed, if we did that; the first reason counts.</summary>
    protected ExitCause? Intent => Volatile.Read(ref _intent) is var intent and not NoIntent ? (ExitCause)intent : null;

    public sealed override void AskToStop(WorkItem item, int chunkItem = -1)
    {
        if (Holds(item))   // else the slot is another's by now
            _control.Send(WorkerFrame.StopCall, StoppedCall.Number(item.Slot, chunkItem));
    }

    public sealed override void End() => _control.Send(WorkerFrame.End, 0);

    /// <summary>Kills the worker and all that it started. <see cref="Worker.Exited"/> completes when it is gone.</summary>
    public sealed override void Kill(ExitCause cause)
    {
        Interlocked.CompareExchange(ref _intent, (int)cause, NoIntent);
        KillProcess();
    }

    protected abstract void KillProcess();

    /// <summary>Whether the call is this worker's now.</summary>
    protected abstract bool Holds(WorkItem item);

    /// <summary>The call of a number that the worker has named.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    protected abstract WorkItem Item(int slot);

    /// <summary>A call is over: its slot is free.</summary>
    protected abstract void Release(WorkItem item);

    /// <summary>What only one kind of worker says.</summary>
    /// <exception cref="InvalidDataException">It makes no sense.</exception>
    protected virtual void TakeOther(WorkerFrame kind, ulong first, ulong second, GraphReader rest) => throw new InvalidDataException($"unexpected {kind} {first}");

    /// <summary>Writes a call that has its slot. False where it cannot be sent at all (it holds what cannot travel): then it has failed, and its slot is free.</summary>
    protected bool TryWrite(WorkItem item)
    {
        var error = Write(item, item.Job);
        if (error is not null && TryGoOnWithout(item, error))
            error = Write(item, item.Job);
        if (error is null)
        {
            item.HandsOver = References.HandsOver;
            return true;
        }

        Release(item);
        item.Worker = null;
        item.Fail(error);
        return false;
    }

    // Apart, for the closure.
    bool TryGoOnWithout(WorkItem item, Exception error) => item.TryGoOnWithout(error, job =>
    {
        var refusal = Write(item, job);
        Drop();
        return refusal;
    });

    // Why it cannot be written; null when it was.
    Exception? Write(WorkItem item, Job job)
    {
        Call.Begin();
        References.Begin(item);
        try
        {
            Call.WriteByte((byte)WorkerFrame.Call);
            Call.WriteByte((byte)item.Slot);
            Call.WriteText(item.Trace);
            Call.Write(job);
            return null;
        }
        catch (Exception error)
        {
            Drop();
            return error;
        }
    }

    /// <summary>What was written last will not be sent.</summary>
    protected void Drop()
    {
        Call.Abandon();
        References.Abandon();
    }

    /// <summary>Takes one message. True when a call has ended.</summary>
    /// <exception cref="InvalidDataException">It makes no sense, or cannot be read.</exception>
    protected bool Take(ArraySegment<byte> message)
    {
        _reader.Begin(message.Array!, message.Offset, message.Count);
        var kind = (WorkerFrame)_reader.ReadByte();
        var first = _reader.ReadNumber();
        var second = _reader.ReadNumber();
        switch (kind)
        {
            case WorkerFrame.Result:
                var finished = Item((int)first);
                finished.Cost = second;
                finished.Succeed(_reader);
                Finish(finished);
                return true;
            case WorkerFrame.Fault:
                var failed = Item((int)first);
                failed.Cost = second;
                failed.FailAfterReports((_reader.Read<FaultRecord?>() ?? throw new InvalidDataException("a fault without a description")).ToException());
                Finish(failed);
                return true;
            case WorkerFrame.Progress when References.Find((int)first) is ProgressTarget progress:
                _deliveries.Add(progress.Read(_reader));
                return false;
            case WorkerFrame.Callback when References.Find((int)first) is CallbackTarget callback:
                _ = AnswerAsync((int)second, callback.Read(_reader));
                return false;
            case WorkerFrame.Ready:
                SetReady(_reader.ReadText(), new(lower: _reader.ReadNumber(), upper: _reader.ReadNumber()));
                return false;
            default:
                TakeOther(kind, first, second, _reader);
                return false;
        }
    }

    /// <summary>The process has ended: whoever waits for it learns of it.</summary>
    protected void TellEnd(Exit exit, IReadOnlyList<WorkItem> victims, IReadOnlyList<WorkItem> unstarted)
    {
        Owner.OnEnded(this, exit, victims, unstarted);
        if (!_ready.Task.IsCompleted)
            _ready.TrySetException(new PlaceException($"Worker {Id} {exit.Describe()} It was not ready yet. {exit.StandardError}"));
    }

    /// <summary>Nothing of it is left.</summary>
    protected void SetExited(Exit exit) => _exited.TrySetResult(exit);

    void Finish(WorkItem item)
    {
        item.DropReferences();   // it may have been cancelled while it was being sent
        Count(item);
        Release(item);
    }

    void SetReady(string entry, UInt128 version)
    {
        if (_ready.Task.IsCompleted)
            throw new InvalidDataException("it says that it is ready, and has said so before");
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

    async Task AnswerAsync(int request, Func<Task<byte[]>> callback)
    {
        var answer = await Task.Run(callback).ConfigureAwait(false);
        _control.SendAnswer(request, answer);
    }
}
