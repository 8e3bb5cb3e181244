namespace Skein;

// The end: asked for, or noticed. What the worker had started is lost with it, what it had not is handed on.
sealed partial class OsProcessWorker
{
    protected override void KillProcess() => _child.Kill();

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
                item.DropReferences();
                item.LostAt = _memory.RunningItem;
                (Volatile.Read(ref _memory.Slot(slot)) == SlotState.Running ? victims : unstarted).Add(item);
            }

            _held = 0;
        }

        _memory.Results.Close();
        _ = EndAsync(status, victims, unstarted);
    }

    async Task EndAsync(ExitStatus status, List<WorkItem> victims, List<WorkItem> unstarted)
    {
        if ((victims.Count > 0 || !Ready.IsCompleted) && status is not { Signal: SigKill })
        {
            _child.Kill();   // what it has started has its output, too
            await _output.LastWordsAsync().ConfigureAwait(false);   // not on the watching thread: it has the ends of all others to tell
        }
        var exit = ToExit(status);
        TellEnd(exit, victims, unstarted);
        await CleanUpAsync(exit).ConfigureAwait(false);
    }

    Exit ToExit(ExitStatus status)
    {
        var cause = status.Signal == 0 ? ExitCause.Returned : ExitCause.Signalled;
        if (status.Signal != 0 && Intent is { } intent)
            cause = intent;
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
        await _output.DrainAsync().ConfigureAwait(false);
        References.Close();
        _control.Dispose();
        _child.Dispose();
        MemoryLimit?.Dispose();
        SetExited(exit with { StandardError = _output.LastErrors });
        _memory.GiveBack();
    }
}
