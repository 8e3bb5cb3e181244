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
            Owner.OnRoom(this);
    }

    void Receive()
    {
        while (true)
        {
            var isOver = _memory.Results.IsClosed;   // before the look: what was written until then is still taken
            int freed;
            lock (_receive)
                freed = Drain();
            if (freed > 0)
                Owner.OnRoom(this);
            if (isOver || _broken)
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

    protected override WorkItem Item(int slot) => (uint)slot < (uint)_items.Length && Volatile.Read(ref _items[slot]) is { } item
        ? item
        : throw new InvalidDataException($"a result for slot {slot}, which has no call");
}
