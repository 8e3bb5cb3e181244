namespace Skein;

/// <summary>Something that happened outside of a process. It waits in the process's inbox and takes effect between two turns.</summary>
abstract class InboxItem
{
    /// <summary>A link of the inbox.</summary>
    public InboxItem? Next;

    /// <summary>Whether it is soon enough when the process has something else to do.</summary>
    public virtual bool CanWait => false;

    public abstract void Apply(Resident resident);

    /// <summary>The process has ended before it took effect.</summary>
    public virtual void Miss(MobileNode node, string process)
    {
    }
}

/// <summary>What is meant for a process wherever that is, and so goes after it.</summary>
abstract class FollowingItem(PeerMessageKind kind) : InboxItem
{
    /// <summary>A process that moves all the time is caught up with after a few; nodes that each take the other for the one that knows would go on for ever.</summary>
    const int MostForwards = 250;

    byte _forwards;

    /// <summary>Whether nodes have taken each other for the one that knows.</summary>
    public bool WasEverywhere => _forwards > MostForwards;

    /// <summary>For another node; null when it has been at too many.</summary>
    public byte[]? Forward(string process)
    {
        if (++_forwards > MostForwards)
            return null;
        var message = PeerMessage.Begin(kind);
        message.WriteText(process);
        message.WriteByte(_forwards);
        Write(message);
        return message.End();
    }

    /// <summary>What came from another node.</summary>
    public FollowingItem After(byte forwards)
    {
        _forwards = forwards;
        return this;
    }

    protected abstract void Write(GraphWriter message);
}

/// <summary>The operator's: it ends where it is, between two turns; one that does not come to the end of its turn is given up after a while.</summary>
sealed class KillRequest() : FollowingItem(PeerMessageKind.Kill)
{
    /// <summary>A turn that takes longer is one of a function that computes and does not wait.</summary>
    static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(1);

    public override void Apply(Resident resident) => resident.End(OutcomeOf(resident));

    /// <summary>It has come to the node where the process is.</summary>
    public static void Note(Resident resident) => _ = WatchAsync(new(resident), resident.Node.Time);

    /// <summary>Most have ended long before; they are not to be kept for this.</summary>
    static async Task WatchAsync(WeakReference<Resident> killed, TimeProvider time)
    {
        do
            await Task.Delay(LongestTurn, time).ConfigureAwait(false);
        while (!HasEnded(killed));
    }

    static bool HasEnded(WeakReference<Resident> killed) => !killed.TryGetTarget(out var resident) || resident.IsGone || resident.TryGiveUp(OutcomeOf(resident));

    static MobileOutcome OutcomeOf(Resident resident) => MobileOutcome.Failed(new ProcessKilledException($"Mobile process {resident.Id} was killed."));

    protected override void Write(GraphWriter message)
    {
    }
}

/// <summary>It is asked to end by itself: <c>Here.Stopping</c> is cancelled, where it is and wherever it goes.</summary>
sealed class StopRequest() : FollowingItem(PeerMessageKind.Stop)
{
    public override void Apply(Resident resident) => resident.Stop();

    protected override void Write(GraphWriter message)
    {
    }
}

/// <summary>The first turn of a process: its function is called.</summary>
sealed class FirstTurn(Func<MobileFrame?> function, Func<MobileOutcome> endedAtOnce) : InboxItem
{
    public override void Apply(Resident resident)
    {
        MobileFrame? root;
        try
        {
            root = function();
        }
        catch (Exception e)
        {
            resident.End(MobileOutcome.Failed(e));   // it is not async, and threw
            return;
        }
        if (root is null)
        {
            resident.End(endedAtOnce());
        }
        else if (root.HasEnded)
        {
            resident.End(root.ToOutcome());
        }
        else
        {
            resident.State.Root = root;
            root.Await(RootWaiter.One);
        }
    }
}

/// <summary>The first turn of a process at another node, or after it was stored.</summary>
/// <param name="finish">What of the application's own code is needed to finish its objects.</param>
/// <param name="isStored">Whether the image that it goes on from is the one that a store has: then what it says holds.</param>
sealed class Arrival(Action? finish, bool isStored) : InboxItem
{
    public override void Apply(Resident resident)
    {
        try
        {
            finish?.Invoke();
        }
        catch (Exception e)
        {
            resident.End(MobileOutcome.Failed(e));   // the application's own comparer or hash function
            return;
        }
        if (isStored)
            resident.NoteStored(null);
        resident.ArmWaits(resident.Waits.Last);
    }
}

/// <summary>A cut was given up: whatever it held up goes on.</summary>
sealed class CutGivenUp : InboxItem
{
    public override void Apply(Resident resident)
    {
    }
}

/// <summary>A node has ended, and with it letters that it was to send on.</summary>
sealed class LettersLost : InboxItem
{
    public override void Apply(Resident resident) => resident.SayAgain();
}
