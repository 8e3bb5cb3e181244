namespace Skein;

/// <summary>A call in a process that waits, and those that wait for it: the innermost first, as in a stack trace.</summary>
/// <param name="WaitsFor">What the innermost waits for.</param>
/// <param name="Frames">Without those that an earlier stack has.</param>
sealed record CallStack(string WaitsFor, IReadOnlyList<MobileFrame> Frames)
{
    /// <summary>All calls of a process, that of its first function first. In a turn of it.</summary>
    public static IReadOnlyList<CallStack> Of(Resident process)
    {
        var stacks = new List<(CallStack Stack, bool IsFirst)>();
        var seen = new HashSet<MobileFrame>();
        foreach (var waiter in process.State.Ready.All)
            Add("its turn", waiter);
        for (var wait = process.Waits.First; wait is not null; wait = wait.After)
            AddWaiters(Describe(wait), (MobileFrame)wait);
        foreach (var (frame, task) in process.OutsideAwaits)
            Add(task, frame);
        return [.. stacks.OrderByDescending(static one => one.IsFirst).Select(static one => one.Stack)];

        void AddWaiters(string waitsFor, MobileFrame frame)
        {
            if (!frame.Waiters.Any())
                stacks.Add((new(waitsFor, []), false));   // it was begun, and nobody waits for it yet
            foreach (var waiter in frame.Waiters)
                Add(waitsFor, waiter);
        }

        void Add(string waitsFor, Waiter innermost)
        {
            var frames = new List<MobileFrame>();
            for (var frame = innermost.Frame; frame is not null && seen.Add(frame); frame = frame.Waiters.Select(static waiter => waiter.Frame).FirstOrDefault(static next => next is not null))
                frames.Add(frame);
            var isFirst = frames.Contains(process.State.Root!);
            frames.RemoveAll(static frame => frame is IMigratedFrame);   // it only stands for the one before
            if (frames.Count > 0)
                stacks.Add((new(waitsFor, frames), isFirst));
        }
    }

    static string Describe(IMobileWait wait) => wait is IDescribed { Description: var text } ? text : SourceNames.Of(wait.GetType());
}

/// <summary>A wait, as whoever looks at a process reads it.</summary>
interface IDescribed
{
    string Description { get; }
}
