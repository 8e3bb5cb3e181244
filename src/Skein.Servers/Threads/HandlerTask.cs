namespace Skein;

/// <summary>One request or connection that a thread of the server runs from its beginning to its end.</summary>
abstract class HandlerTask
{
    protected HandlerTask() => Waiting = new(this);

    /// <summary>Its place in the queue, while it waits there.</summary>
    public LinkedListNode<HandlerTask> Waiting { get; }

    /// <summary>Runs the handler; called once, by the thread. Its failures are its own: the task never fails.</summary>
    public abstract Task RunAsync();

    /// <summary>A thread begins to run code of the handler: the first, or what follows an await.</summary>
    public virtual void TurnBegins(HandlerThread thread)
    {
    }

    /// <summary>The handler awaits something, or has ended.</summary>
    public virtual void TurnEnds()
    {
    }
}
