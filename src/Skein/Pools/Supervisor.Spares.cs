namespace Skein;

// Spares: workers that are ready to take the place of a lost one at once, and have done each kind of task before it comes.
partial class Supervisor
{
    // The start of a process takes a processor for some 30 ms. Whoever needed a spare is in a hurry: he comes first.
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    readonly Queue<Worker> _spares = new();
    Rehearsals? _kinds;
    int _sparesStarting;

    /// <summary>A task is asked for: spares make themselves ready for its kind.</summary>
    public void Remember(Job job) => Kinds.Remember(job);

    Rehearsals Kinds => _kinds ?? Interlocked.CompareExchange(ref _kinds, new(Rehearse), null) ?? _kinds;

    Worker? TakeSpare()
    {
        lock (_gate)
        {
            while (_spares.TryDequeue(out var spare))
            {
                if (!spare.HasEnded)
                    return spare;
            }

            return null;
        }
    }

    void FillSpares(TimeSpan pause)
    {
        lock (_gate)
        {
            if (_stopped.IsCancellationRequested)
                return;
            while (_spares.Count(spare => !spare.HasEnded) + _sparesStarting < options.Spares)
            {
                _sparesStarting++;
                Follow(AddSpareAsync(pause));
            }
        }
    }

    async Task AddSpareAsync(TimeSpan pause)
    {
        if (pause > TimeSpan.Zero)
            await Task.Delay(pause, TimeProvider.System, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StartLivingAsync(afterFailure: false, TryKeep).ConfigureAwait(false);
        lock (_gate)
            _sparesStarting--;
    }

    bool TryKeep(Worker spare)
    {
        lock (_gate)
            _spares.Enqueue(spare);
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
