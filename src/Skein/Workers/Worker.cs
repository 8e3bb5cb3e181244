using System.Diagnostics;

namespace Skein;

/// <summary>Who feeds a worker and is told of its end.</summary>
interface IWorkerOwner
{
    /// <summary>The worker has room for more calls. On a thread of the worker's connection: must not block.</summary>
    void OnRoom(Worker worker);

    /// <summary>A handler of ours for what the worker prints has thrown; the task that runs there, if one does, is not told yet.</summary>
    void OnHandlerFailed(Worker worker, Exception error);

    /// <summary>
    /// The worker has ended. <paramref name="victims"/> had been started and are lost with it; <paramref name="unstarted"/> had not and
    /// may go to another worker.
    /// </summary>
    void OnEnded(Worker worker, Exit exit, IReadOnlyList<WorkItem> victims, IReadOnlyList<WorkItem> unstarted);
}

/// <summary>Something that executes calls, one at a time, in the order in which it got them.</summary>
abstract class Worker
{
    int _sending;
    bool _isOccupied;

    public abstract string Id { get; }

    /// <summary>Of the operating system.</summary>
    public abstract int ProcessId { get; }

    /// <summary>Completes when it serves calls; fails when it ended before.</summary>
    public abstract Task Ready { get; }

    /// <summary>Completes when nothing of it is left, after <see cref="IWorkerOwner.OnEnded"/>.</summary>
    public abstract Task<Exit> Exited { get; }

    public abstract bool HasEnded { get; }

    /// <summary>Calls it holds, started or not.</summary>
    public abstract int Held { get; }

    /// <summary>Calls that are being sent to it: who sends another one waits for them. Counted by whoever feeds it.</summary>
    public int Sending => Volatile.Read(ref _sending);

    public void BeginSending() => Interlocked.Increment(ref _sending);

    public void EndSending() => Interlocked.Decrement(ref _sending);

    /// <summary>It runs something that takes long: what is sent behind that only waits. Until it has completed something.</summary>
    public bool IsOccupied
    {
        get => Volatile.Read(ref _isOccupied);
        set => Volatile.Write(ref _isOccupied, value);
    }

    /// <summary>Whether sending it calls ahead saves time: not where a call is handed over by reference.</summary>
    public virtual bool GainsFromCallsAhead => true;

    /// <summary>How it is held to its memory limit; null without one.</summary>
    public virtual MemoryLimitKind? MemoryLimitKind => null;

    /// <summary>
    /// The call that runs, when it was started, and which item of a chunk it is at (-1: it is no chunk); null when none runs.
    /// </summary>
    public abstract (WorkItem Item, long StartedAt, int ChunkItem)? Running { get; }

    /// <summary>Changes while it takes in what it is sent. Who has calls, starts none and takes nothing in is stopped, or worse.</summary>
    public virtual long TakenIn => Stopwatch.GetTimestamp();

    /// <summary>Tasks that it has completed; what prepared it does not count.</summary>
    public long Completed { get; private set; }

    /// <summary>
    /// Sends a call. False when the worker has no room, or has ended, or does not read because of what it runs: then the item is as it was. An item that cannot be sent at all
    /// (it holds what cannot travel) is failed, and true is returned: it is dealt with.
    /// </summary>
    public abstract bool Submit(WorkItem item);

    /// <summary>Looks for the result on the calling thread as long as that may pay, in place of the thread that would have to be woken for it.</summary>
    public virtual void Poll(WorkItem item, ref SpinPolicy spin) { }

    /// <summary>Takes back a call that was not started yet. False when it was: then it runs, or has ended.</summary>
    public abstract bool TryRevoke(WorkItem item);

    /// <summary>The calls it holds, started or not.</summary>
    public abstract List<WorkItem> Calls();

    /// <summary>Calls that are not started, youngest last.</summary>
    public abstract List<WorkItem> Unstarted();

    /// <summary>Asks the function of a call to stop. Does not wait for the worker.</summary>
    /// <param name="chunkItem">Only as long as it is at this item of a chunk; -1: as a whole.</param>
    public abstract void AskToStop(WorkItem item, int chunkItem = -1);

    /// <summary>Ends the worker when the calls it has are done.</summary>
    public abstract void End();

    /// <summary>Ends it at once. A thread goes on, abandoned.</summary>
    public abstract void Kill(ExitCause cause);

    /// <summary>Sends it a signal, by its number on this system.</summary>
    /// <exception cref="PlaceException">It is no process of its own, or there is no such thing here.</exception>
    public virtual void Signal(int signal) => throw new PlaceException($"Worker {Id} is a thread, which cannot be sent a signal.");

    /// <summary>One more call is completed. By one thread at a time.</summary>
    protected void Count(WorkItem item)
    {
        if (item.IsBound)
            return;
        Completed++;
        CostOfLast = item.Cost;
    }

    /// <summary>How long the last task ran, in microseconds.</summary>
    public ulong CostOfLast { get; private set; }
}
