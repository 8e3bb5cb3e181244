namespace Skein;

/// <summary>
/// A mobile process, as whoever started it sees it: wherever it is, messages reach it and its end is heard here.
/// </summary>
[StaysHere("the handle of a mobile process belongs to where that was started. Take its Id along, and write to it by Here.Send")]
public abstract class MobileProcess
{
    private protected MobileProcess(MobileNode home, string id)
    {
        Home = home;
        Id = id;
        Node = home.Name;
    }

    /// <summary>Its id, the same wherever it goes.</summary>
    public string Id { get; }

    /// <summary>The name of the node where it is, or was when it ended.</summary>
    public string Node { get; internal set; }

    /// <summary>Ends when the process does, as it does: with its failure, or cancelled if it was killed.</summary>
    public abstract Task Completion { get; }

    internal MobileNode Home { get; }

    /// <summary>Sends it a message: a copy, which waits in its mailbox until it asks for one of this type.</summary>
    /// <exception cref="CannotTravelException">The message, or something in it, belongs to its place.</exception>
    public void Send<T>(T message) => Home.Write(Id, Letter.Of(null, message));

    /// <summary>Tells it that something has happened. It is kept until the process asks for an event of this name and type.</summary>
    /// <exception cref="CannotTravelException">The value, or something in it, belongs to its place.</exception>
    public void Raise<T>(string eventName, T value)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        Home.Write(Id, Letter.Of(eventName, value));
    }

    /// <summary>Moves it to another node. It does not notice: it goes on there where it waits here.</summary>
    /// <param name="node">The name of a node that its own is connected with.</param>
    /// <param name="within">How long an ordinary task that it awaits may keep it; by default 30 s.</param>
    /// <exception cref="CannotMoveException">It was not moved, and goes on where it is; the message says why.</exception>
    public async Task MoveToAsync(string node, TimeSpan? within = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (Node == node && !Completion.IsCompleted)
            return;
        var answer = await AskAsync(AskKind.Move, node, $"could not be moved to node {node}", within, cancellation).ConfigureAwait(false);
        Home.NoteLocation(Id, answer.Text, BitConverter.ToInt64(answer.Data));   // it may be told of it later
    }

    /// <summary>An image of it as it is between two turns: all of it, as bytes, for <see cref="MobileNode.Restore{T}"/>. It goes on.</summary>
    /// <param name="within">How long an ordinary task that it awaits may keep it from being written; by default 30 s.</param>
    /// <exception cref="CannotMoveException">It holds something that cannot be written; the message says where.</exception>
    public async Task<byte[]> CaptureAsync(TimeSpan? within = null, CancellationToken cancellation = default) =>
        (await AskAsync(AskKind.Capture, "", "could not be captured", within, cancellation).ConfigureAwait(false)).Data!;

    /// <summary>Asks it to end by itself: <c>Here.Stopping</c> is cancelled, where it is and wherever it goes.</summary>
    public void Stop() => Home.Deliver(Id, new StopRequest());

    /// <summary>
    /// Ends it, where it is, between two turns. What its functions hold is not disposed of. One that computes for more than a second and does not wait
    /// ends for everybody else; its thread cannot be ended, and goes on until it waits.
    /// </summary>
    public void Kill() => Home.Deliver(Id, new KillRequest());

    /// <summary>
    /// Starts its function again at another node, from the beginning and with the arguments that it was started with: as a process of its own,
    /// with an id of its own. This one ends before the other begins. For functions that cannot be written where they wait, and need not be.
    /// </summary>
    /// <param name="node">The name of a node that its own is connected with.</param>
    /// <param name="within">How long the move of the new one and the end of this one may take, each; by default 30 s.</param>
    /// <exception cref="CannotMoveException">The node did not take it, and this one goes on; or this one does not answer, and whether it has ended nobody knows.</exception>
    /// <exception cref="InvalidOperationException">It was not started as one that may be restarted; or it has ended by itself.</exception>
    public async Task<MobileProcess> RestartOnAsync(string node, TimeSpan? within = null, CancellationToken cancellation = default) =>
        await RestartAsync(node, within, cancellation).ConfigureAwait(false);

    private protected abstract Task<MobileProcess> RestartAsync(string node, TimeSpan? within, CancellationToken cancellation);

    internal abstract void Complete(MobileOutcome outcome);

    /// <summary>The same, as another node has told it.</summary>
    internal virtual void Complete(byte[] outcome) => Complete(Home.ReadOutcome(outcome));

    async Task<AskAnswer> AskAsync(AskKind kind, string destination, string failure, TimeSpan? within, CancellationToken cancellation)
    {
        try
        {
            return await Home.AskAsync(Id, kind, destination, failure, within, cancellation).ConfigureAwait(false);
        }
        catch (CannotMoveException e) when (e.IsEnd)
        {
            // Whoever learns of its end here finds it ended, however long the store takes to forget it.
            await Completion.WaitAsync(within ?? MobileNode.MoveLimit, Home.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }
}

/// <summary>A mobile process with a result.</summary>
public sealed class MobileProcess<T> : MobileProcess
{
    readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal MobileProcess(MobileNode home, string id) : base(home, id)
    {
    }

    byte[]? _beginning;   // its function with what that has captured, as it was at the start

    internal void MayRestart(byte[] beginning) => _beginning = beginning;

    /// <inheritdoc cref="MobileProcess.RestartOnAsync"/>
    public new async Task<MobileProcess<T>> RestartOnAsync(string node, TimeSpan? within = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (_beginning is null)
            throw new InvalidOperationException($"Mobile process {Id} was not started as one that may be started again (MobileNode.Start, restartable).");
        var other = await Home.PlaceAsync<T>(_beginning, node, within, cancellation).ConfigureAwait(false);
        Kill();
        Task end = Completion;
        await end.WaitAsync(within ?? MobileNode.MoveLimit, Home.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (end.IsCanceled || end.Exception?.InnerException is NodeLostException)
        {
            other.Raise(MobileNode.Beginning, true);
            return other;
        }
        other.Kill();
        cancellation.ThrowIfCancellationRequested();
        throw end.IsCompleted ? new InvalidOperationException($"Mobile process {Id} has ended by itself.")
            : new CannotMoveException($"Mobile process {Id} was not started again: node {Node} does not answer, and whether it has ended there nobody knows.");
    }

    private protected override async Task<MobileProcess> RestartAsync(string node, TimeSpan? within, CancellationToken cancellation) =>
        await RestartOnAsync(node, within, cancellation).ConfigureAwait(false);

    /// <summary>Its result, once it has one.</summary>
    public override Task<T> Completion => _completion.Task;

    internal override void Complete(MobileOutcome outcome)
    {
        if (outcome.Error is OperationCanceledException cancelled)
            _completion.TrySetCanceled(cancelled.CancellationToken);
        else if (outcome.Error is { } error)
            _completion.TrySetException(error);
        else if (outcome is MobileOutcome<T> { Result: var result })
            _completion.TrySetResult(result);
        else
            _completion.TrySetException(new InvalidOperationException($"Mobile process {Id} ended with a {outcome.GetType().GetGenericArguments()[0]}, not with a {typeof(T)}."));
    }
}
