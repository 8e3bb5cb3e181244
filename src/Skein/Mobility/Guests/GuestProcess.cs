namespace Skein;

/// <summary>The handle of a process that another program has started here. How it ends is for that one, as bytes: it may be of a build that is not here any more.</summary>
sealed class GuestProcess : MobileProcess
{
    readonly TaskCompletionSource<byte[]> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="guest">Who hears how it ends; null: nobody.</param>
    public GuestProcess(MobileNode home, string id, string? guest) : base(home, id) => Guest = guest;

    public string? Guest { get; }

    public Task<byte[]> End => _outcome.Task;

    public override Task Completion => _outcome.Task;

    internal override void Complete(MobileOutcome outcome) => Complete(MobileNode.Write(outcome));

    internal override void Complete(byte[] outcome) => _outcome.TrySetResult(outcome);

    private protected override Task<MobileProcess> RestartAsync(string node, TimeSpan? within, CancellationToken cancellation) =>
        throw new NotSupportedException("What another program has started is not started again here.");
}
