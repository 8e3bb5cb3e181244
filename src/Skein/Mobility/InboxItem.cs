namespace Skein;

/// <summary>Something that happened outside of a process. It waits in the process's inbox and takes effect between two turns.</summary>
abstract class InboxItem
{
    /// <summary>A link of the inbox.</summary>
    public InboxItem? Next;

    /// <summary>Whether it is meant for the process wherever that is, and so goes after it.</summary>
    public virtual bool Follows => false;

    public abstract void Apply(Resident resident);

    /// <summary>The process has ended before it took effect.</summary>
    public virtual void Miss(string process)
    {
    }
}

/// <summary>A message, or an event with its name.</summary>
sealed class Letter(string? eventName, object? content) : InboxItem
{
    public override bool Follows => true;

    public override void Apply(Resident resident) => resident.TakeIn(eventName, content);
}

/// <summary>The operator's: it ends where it is.</summary>
sealed class KillRequest : InboxItem
{
    public override bool Follows => true;

    public override void Apply(Resident resident) => resident.End(MobileOutcome.Failed(new OperationCanceledException($"Mobile process {resident.Id} was killed.")));
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
sealed class Arrival(Action? finish) : InboxItem
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
        IMobileWait? next;
        for (var wait = resident.Waits.First; wait is not null && !resident.IsGone; wait = next)   // it ends when the first that it waited for was all
        {
            next = wait.After;
            wait.Arm(resident);
        }
    }
}

/// <summary>A cut that somebody outside asks for; or, without one, that one was given up.</summary>
sealed class CutRequest(Cut? cut) : InboxItem
{
    public override bool Follows => cut is not null;

    public override void Apply(Resident resident)
    {
        if (cut is not null)
            resident.Wish(cut);
    }

    public override void Miss(string process)
    {
        if (cut?.TryBegin() == true)
            cut.Fail(CannotMoveException.HasEnded(process));
    }
}
