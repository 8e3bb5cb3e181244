namespace Skein;

// Spares: workers that are ready to take the place of a lost one at once, and have done each kind of task before it comes.
partial class Supervisor
{
    // The start of a process takes a processor for some 30 ms. Whoever needed a spare is in a hurry: he comes first.
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    readonly List<Worker> _spares = [];   // the oldest first
    Rehearsals? _kinds;
    int _sparesStarting;

    /// <summary>A task is asked for: spares make themselves ready for its kind.</summary>
    public void Remember(Job job) => Kinds.Remember(job);

    Rehearsals Kinds => _kinds ?? Interlocked.CompareExchange(ref _kinds, new(Rehearse), null) ?? _kinds;

    Worker? TakeSpare()
    {
        lock (_gate)
        {
            var spare = _spares.Find(static spare => !spare.HasEnded);
            if (spare is not null)
                _spares.Remove(spare);
            return spare;
        }
    }

    void FillSpares(TimeSpan pause, bool afterFailure = false)
    {
        lock (_gate)
        {
            if (_stopped.IsCancellationRequested)
                return;
            _spares.RemoveAll(static spare => spare.HasEnded);
            while (_spares.Count + _sparesStarting < options.Spares)
            {
                _sparesStarting++;
                Follow(AddSpareAsync(pause, afterFailure));
            }
        }
    }

    async Task AddSpareAsync(TimeSpan pause, bool afterFailure)
    {
        if (pause > TimeSpan.Zero)
            await Task.Delay(pause, TimeProvider.System, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StartLivingAsync(afterFailure, TryKeep).ConfigureAwait(false);
        lock (_gate)
            _sparesStarting--;
    }

    bool TryKeep(Worker spare)
    {
        lock (_gate)
            _spares.Add(spare);
        foreach (var kind in Kinds.Kinds)
            _ = RehearseAsync(spare, kind);
        return !spare.HasEnded;
    }

    void Rehearse(Job kind)
    {
        Worker[] spares;
        lock (_gate)
            spares = [.. _spares];
        foreach (var spare in spares)
            _ = RehearseAsync(spare, kind);
    }

    async Task RehearseAsync(Worker spare, Job kind)
    {
        var rehearsal = new WorkItem<Nothing>(new RehearsalJob(kind)) { IsBound = true };
        if (!spare.Submit(rehearsal))
            return;
        try
        {
            await rehearsal.Completion.ConfigureAwait(false);
        }
        catch (Exception)
        {
            if (!_stopped.IsCancellationRequested)
                Kinds.Forget(kind);   // its tasks will say what is wrong with it
        }
    }
}
