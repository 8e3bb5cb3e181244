namespace Skein;

// Sending calls: each takes a slot of the worker's, which is free again when the call has ended.
sealed partial class OsProcessWorker
{
    public override bool Submit(WorkItem item)
    {
        lock (_send)
        {
            while (!_ended && TryTakeSlot(item))
            {
                if (!TryWrite(item))
                    return true;
                (_sent, _sentSlot) = (item, item.Slot);
                Volatile.Write(ref _memory.Slot(_sentSlot), SlotState.Queued);
                if (_sender.Send(Call.Written.Span, _whileFull, _mayGiveUp) != SendOutcome.GivenUp)
                {
                    References.Sent();   // or the ring was closed: then OnExit hands the item on
                    return true;
                }

                if (!TryDrop(item, _sentSlot))
                    return true;   // it has been taken back
                if (Held == 0)
                    continue;      // what was in the way has ended just now
                IsOccupied = true;
                return false;
            }

            return false;
        }
    }

    // Nobody waits behind a call that runs for long, nor sends what was taken back meanwhile. What has gone along by another way cannot be called back.
    bool MayGiveUp() => (Held > 1 || Volatile.Read(ref _items[_sentSlot]) != _sent) && !References.HaveGoneAhead;

    /// <summary>A call of which the worker will see nothing. False where somebody else has it by now.</summary>
    bool TryDrop(WorkItem item, int slot)
    {
        Drop();
        lock (_slots)
        {
            Volatile.Write(ref _memory.Slot(slot), SlotState.Free);
            if (_items[slot] != item)
                return false;
            _items[slot] = null;
            Interlocked.Decrement(ref _held);
            item.Worker = null;
            item.DropReferences();
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
            item.DropReferences();
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

    protected override void Release(WorkItem item)
    {
        Volatile.Write(ref _memory.Slot(item.Slot), SlotState.Free);
        lock (_slots)
        {
            if (_items[item.Slot] is null)
                return;
            _items[item.Slot] = null;
            Interlocked.Decrement(ref _held);
        }
    }
}
