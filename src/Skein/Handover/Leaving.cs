namespace Skein;

/// <summary>A process that is to go on at another node: what a hand-over does with it here. It does not run meanwhile.</summary>
abstract class Leaving
{
    public abstract string Id { get; }

    public abstract byte[] Image { get; }

    /// <summary>The name of the store that keeps it; empty where it is not durable.</summary>
    public abstract string StoredIn { get; }

    /// <summary>Puts a record in the place of its image in the store; null: nothing.</summary>
    public abstract Task StoreAsync(byte[]? record);

    /// <summary>It goes on here.</summary>
    public abstract void Stay(string why);

    /// <summary>It is not here any more. What comes for it goes after it, behind what this says.</summary>
    public abstract void Leave(string peer, Action sayGo);

    /// <summary>It runs there.</summary>
    public abstract void Arrive();

    /// <summary>The node that it went to has ended.</summary>
    public abstract void Lose(string why);
}

/// <summary>A process that comes from another node: its objects have been made, and do not run.</summary>
abstract class Coming
{
    /// <summary>Whether the other node's store has it and this one's must.</summary>
    public abstract bool IsToBeStored { get; }

    /// <summary>Puts a record, or its image, in the store; null: nothing.</summary>
    public abstract Task StoreAsync(byte[]? record);

    /// <summary>It will not run here: what was made for it is of no use.</summary>
    public abstract void Drop();

    /// <summary>It is ours: what comes for it waits here until it runs.</summary>
    public abstract void Settle();

    /// <summary>It runs.</summary>
    public abstract void Begin(string from);
}
