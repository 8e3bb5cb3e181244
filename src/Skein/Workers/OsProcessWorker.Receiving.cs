namespace Skein;

// Receiving results, and what runs meanwhile has to say: on the thread of this worker, or on that of a caller who polls.
sealed partial class OsProcessWorker
{
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
}
