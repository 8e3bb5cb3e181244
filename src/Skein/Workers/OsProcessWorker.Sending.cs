namespace Skein;

// Sending calls: each takes a slot of the worker's, which is free again when the call has ended.
sealed partial class OsProcessWorker
{
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
}
