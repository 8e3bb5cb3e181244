namespace Skein;

/// <summary>What a running function can know of the process that it is, and what a mobile one can do: see <see cref="Mobile"/>.</summary>
public static partial class Here
{
    /// <summary>The name of the node where this mobile process is; null outside of one.</summary>
    public static string? Node => Resident.Current?.Node.Name;

    /// <summary>How often this mobile process has moved.</summary>
    /// <exception cref="InvalidOperationException">This is no mobile process.</exception>
    public static int Hops => Resident.Require().State.Hops;

    /// <summary>
    /// Goes on at another node: all concurrent calls of this process with it, wherever each of them waits. What follows in this function
    /// runs there, with all its locals.
    /// </summary>
    /// <param name="node">The name of a node that this one is connected with; this one's own does nothing.</param>
    /// <param name="within">How long an ordinary task that a concurrent call awaits may keep the process here; by default 30 s.</param>
    /// <exception cref="CannotMoveException">
    /// It goes on here: there is no such node, or something in the process cannot travel. The message has the path to it.
    /// </exception>
    public static Mobile MoveTo(string node, TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        var process = Resident.Require();
        return process.Node.Name == node ? default : Began(new MoveWait(node, Limit(within)), process);
    }

    /// <summary>Waits for a while. The moment when it is over stays the same wherever the process goes and however often it is restored.</summary>
    public static Mobile Delay(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        var process = Resident.Require();
        return time == TimeSpan.Zero ? default : Began(new DelayWait((process.Node.Time.GetUtcNow() + time).UtcTicks), process);
    }

    /// <summary>Lets others run: concurrent calls of this process, and other processes. The process can be moved here.</summary>
    public static Mobile Yield()
    {
        Resident.Require();
        return new(YieldFrame.One);
    }

    /// <summary>The next message of this type, in the order of arrival; messages of other types stay in the mailbox.</summary>
    public static Mobile<T> Receive<T>() => Take<T>(null);

    /// <summary>Waits for an event of this name and type. One that was raised before is taken at once.</summary>
    public static Mobile<T> Event<T>(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Take<T>(name);
    }

    /// <summary>
    /// Sends a message to another mobile process, by its id: a copy. To one that has ended it is lost. What a process sends that has stored itself
    /// (<see cref="Checkpoint"/>) leaves with its next checkpoint, or with its end; so one that is to be answered is followed by a checkpoint.
    /// </summary>
    /// <exception cref="CannotTravelException">The message, or something in it, belongs to its place.</exception>
    public static void Send<T>(string process, T message)
    {
        ArgumentNullException.ThrowIfNull(process);
        Resident.Require().Send(process, message);
    }

    /// <summary>
    /// Ordinary asynchronous code that does not keep the process here. When the process moves while it runs, it is asked to stop by the
    /// token and started again at the other node; if it ends well nevertheless, that counts. So it runs at least once.
    /// </summary>
    /// <param name="start">Starts it, here or elsewhere. What the function captures travels.</param>
    public static Mobile<T> Restartable<T>(Func<CancellationToken, Task<T>> start)
    {
        ArgumentNullException.ThrowIfNull(start);
        return Began(new RestartableWait<T>(start), Resident.Require());
    }

    /// <summary>
    /// Calls something that blocks its thread, on a thread of its own: it holds up the other calls of this process and other processes no
    /// more than a wait does. Until it returns the process can neither move nor be stored.
    /// </summary>
    public static async Mobile<T> Blocking<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return await Task.Factory.StartNew(function, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default).ConfigureAwait(false);
    }

    /// <summary>
    /// Stores an image of this process, and goes on when that would survive the loss of power. After a crash of the node the process goes
    /// on from here, with <see cref="Resumption.Restored"/>.
    /// </summary>
    /// <exception cref="CannotMoveException">Something in the process cannot be written; the message has the path to it.</exception>
    /// <exception cref="IOException">The store could not keep it: the image before is the last.</exception>
    /// <exception cref="InvalidOperationException">The node has no store.</exception>
    public static Mobile<Resumption> Checkpoint()
    {
        var process = Resident.Require();
        return process.Node.Store is null
            ? throw new InvalidOperationException($"Node {process.Node.Name} has no store: make it with one.")
            : Began(new CheckpointWait(), process);
    }

    /// <summary>Something of the node where this mobile process is, by name: each node has its own. It must not be held across a move.</summary>
    /// <exception cref="InvalidOperationException">The node has none of this name and type.</exception>
    public static T Resource<T>(string name) where T : class
    {
        ArgumentNullException.ThrowIfNull(name);
        return Resident.Require().Node.Resource<T>(name);
    }

    /// <summary>A value that this mobile process has set before, in any of its functions, at any node; else the default of the type.</summary>
    public static T? Get<T>(string name) =>
        Resident.Require().State.Values is { } values && values.TryGetValue(name, out var value) ? (T?)value : default;

    /// <summary>Keeps a value that travels with this mobile process, for all of its functions.</summary>
    public static void Set<T>(string name, T value) => (Resident.Require().State.Values ??= [])[name] = value;

    static Mobile<T> Take<T>(string? eventName)
    {
        var process = Resident.Require();
        return process.State.TryTake<T>(eventName, out var taken) ? new(taken) : Began(new MessageWait<T>(eventName), process);
    }

    static Mobile Began(MobileWait<ValueTuple> wait, Resident process)
    {
        wait.Begin(process);
        return new(wait);
    }

    static Mobile<T> Began<T>(MobileWait<T> wait, Resident process)
    {
        wait.Begin(process);
        return new(wait);
    }

    static TimeSpan Limit(TimeSpan? within) => within is null ? MobileNode.MoveLimit
        : within == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : TimeRange.Pause(within.Value, nameof(within));
}
