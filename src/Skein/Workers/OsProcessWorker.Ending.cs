namespace Skein;

// The end: asked for, or noticed. What the worker had started is lost with it, what it had not is handed on.
sealed partial class OsProcessWorker
{
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
