namespace Skein;

sealed partial class Resident
{
    Queue<Cut>? _cuts;
    List<InboxItem>? _outside;
    Task _saved = before ?? Task.CompletedTask;
    ImageWriting? _image;   // the last

    /// <summary>Ordinary tasks that it waits for: while there are any, no image of it can be made.</summary>
    public bool WaitsOutside => _outside is { Count: > 0 };

    /// <summary>Which of its calls await them, and what.</summary>
    public IEnumerable<(MobileFrame Frame, string Awaited)> OutsideAwaits
    {
        get
        {
            lock (this)
                return [.. (_outside ?? []).OfType<OutsideAwait>().Select(static one => (one.Frame, one.Awaited))];
        }
    }

    public bool WantsToLeave => _cuts is not null && _cuts.Any(static cut => cut.Leaves && cut.IsWished);

    public void AddOutside(InboxItem wait)
    {
        lock (this)
            (_outside ??= []).Add(wait);
    }

    /// <summary>False where it was let go of already.</summary>
    public bool RemoveOutside(InboxItem wait)
    {
        lock (this)
            return _outside!.Remove(wait);
    }

    /// <summary>Ends when all is saved that was to be saved.</summary>
    public Task Saved => _saved;

    /// <summary>One save at a time, in order; and the removal after all of them.</summary>
    public Task SaveAsync(byte[]? image)
    {
        var (before, done) = (_saved, new TaskCompletionSource());
        _saved = done.Task;
        return SaveAsync(before, image, done);
    }

    async Task SaveAsync(Task before, byte[]? image, TaskCompletionSource done)
    {
        await before.ConfigureAwait(false);
        try
        {
            if (image is null)
                await node.Store!.RemoveAsync(Id).ConfigureAwait(false);
            else
                await node.Store!.SaveAsync(Id, image).ConfigureAwait(false);
        }
        finally
        {
            done.SetResult();
        }
    }

    /// <summary>What the store is to have of it while it goes from one node to another; null: nothing, since it is not here any more.</summary>
    public Task StoreAsync(byte[]? record)
    {
        var stored = SaveAsync(record);
        return record is null ? node.ForgetAsync(Id, stored, _saved) : stored;
    }

    /// <summary>In a turn of the process; the cut is made after it.</summary>
    public void Wish(Cut cut) => (_cuts ??= new()).Enqueue(cut);

    /// <summary>From any thread: what it is that no image can be made yet.</summary>
    public string WhyNotYet()
    {
        lock (this)
        {
            if (_outside is { Count: > 0 })
            {
                return $"it waits for {string.Join(", ", _outside)}, which cannot be written. "
                    + "Await it before, or use Here.Restartable(token => …), which is started again at the other node.";
            }
            return _isRunning && _current != this ? "it computes and does not wait for anything: let it call Here.Yield() now and then." : "what it started by Here.Restartable has not stopped (does it listen to its token?), or it is being stored.";
        }
    }

    /// <summary>In a cut that leaves: it goes on in other objects, which were made from its image.</summary>
    /// <param name="other">They.</param>
    /// <param name="begin">Code of the application that comes first, and in them. Where that fails it stays as it was.</param>
    public void Become(MobileState other, Action begin)
    {
        var (before, last, wished) = (state, other.Waits.Last, _cuts!.Count);
        state = other;
        try
        {
            Call(begin);
            if (IsGone)
                throw new OperationCanceledException($"Mobile process {Id} was killed.");
        }
        catch
        {
            DisarmWaits();
            _cuts = new(_cuts.Take(wished));
            lock (this)
                _outside?.Clear();   // there were none, else there had been no cut
            state = before;
            throw;
        }
        _cuts = new(_cuts.Where((cut, place) => place == 0 || place >= wished || cut.Ask is not null || cut is UpgradeCut));   // the others belong to waits, which make them again
        for (var wait = before.Waits.First; wait is not null; wait = wait.After)
            wait.Disarm();
        _image?.Left();
        before.Gone();
        ArmWaits(last);
    }

    void Call(Action code)
    {
        _isInTurn = true;
        try
        {
            code();
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>In a turn, where it has arrived.</summary>
    /// <param name="last">Those that it has begun since are armed.</param>
    public void ArmWaits(IMobileWait? last)
    {
        IMobileWait? next;
        for (var wait = last is null ? null : state.Waits.First; wait is not null && !IsGone; wait = wait == last ? null : next)   // it ends when the first that it waited for was all
        {
            next = wait.After;
            wait.Arm(this);
        }
    }

    void DisarmWaits()
    {
        for (var wait = state.Waits.First; wait is not null; wait = wait.After)
            wait.Disarm();
    }

    /// <summary>True when the process is in other hands, and nothing of it may be touched.</summary>
    bool TryCut()
    {
        while (!IsGone && !WaitsOutside && _cuts is not null && _cuts.TryPeek(out var cut))
        {
            if (cut.IsWished && cut.Leaves && IsStopping())
                return false;
            if (cut.IsWished && Image(cut) is { } image && cut.TryBegin() && cut.Take(this, image))
                return true;
            if (WaitsOutside && cut.IsWished)
                return false;   // for a task that was in the way
            if (!IsGone)
                IsOver(cut);
        }
        return false;
    }

    /// <summary>In a turn: the first cut that was wished for has been made, or will not be.</summary>
    public void IsOver(Cut cut)
    {
        _cuts!.Dequeue();
        _image?.Over();
        if (cut.Leaves && !WantsToLeave)
            ResumeWaits();
        if (_cuts.Count == 0)
            _cuts = null;
    }

    /// <summary>Null when the cut has failed, or must wait.</summary>
    byte[]? Image(Cut cut)
    {
        try
        {
            cut.BeforeImage();
            state.IsCommit = cut.Commits && state.IsStored;
            _image?.Over();
            _image = new(node, Id) { IsHandedOver = cut.HandsOver && !state.IsStored };
            return MobileImage.Write(state, _image);
        }
        catch (CannotTravelException e) when (e.Culprit is Task { IsCompleted: false } task)
        {
            HeldTask.Await(this, task, e.Path);
        }
        catch (Exception e)   // also a collection that code started by Here.Restartable changes meanwhile
        {
            if (cut.TryBegin())
                cut.Fail(CannotMoveException.For(this, e));
        }
        finally
        {
            cut.AfterImage();
        }
        return null;
    }

    /// <summary>All are asked at once.</summary>
    bool IsStopping()
    {
        var any = false;
        for (var wait = state.Waits.First; wait is not null; wait = wait.After)
            any |= wait.IsStopping();
        return any;
    }

    void ResumeWaits()
    {
        for (var wait = state.Waits.First; wait is not null; wait = wait.After)
            wait.Resume(this);
    }
}

/// <summary>A task that a local holds and nobody awaits: it becomes a value when it has ended.</summary>
sealed class HeldTask(string path) : InboxItem
{
    public static void Await(Resident process, Task task, string path)
    {
        var held = new HeldTask(path);
        process.AddOutside(held);
        task.ContinueWith(_ => process.Post(held), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public override string ToString() => $"a task in {path}";

    public override void Apply(Resident resident) => resident.RemoveOutside(this);
}
