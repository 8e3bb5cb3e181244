using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// A mobile method that waits for an ordinary task. The task cannot be written, so the process stays until it has ended; then the method
/// goes on in a turn of its process like any other.
/// </summary>
sealed class OutsideAwait(Resident process, MobileFrame frame, Type awaiter) : InboxItem
{
    public static void Begin<TAwaiter>(ref TAwaiter awaiter, MobileFrame frame) where TAwaiter : INotifyCompletion
    {
        var wait = new OutsideAwait(Resident.Require(), frame, typeof(TAwaiter));
        wait.Add();
        try
        {
            awaiter.OnCompleted(wait.Send);
        }
        catch
        {
            wait.Remove();
            throw;
        }
    }

    public static void BeginUnsafe<TAwaiter>(ref TAwaiter awaiter, MobileFrame frame) where TAwaiter : ICriticalNotifyCompletion
    {
        var wait = new OutsideAwait(Resident.Require(), frame, typeof(TAwaiter));
        wait.Add();
        try
        {
            awaiter.UnsafeOnCompleted(wait.Send);
        }
        catch
        {
            wait.Remove();
            throw;
        }
    }

    public MobileFrame Frame => frame;

    public string Awaited => FrameNames.OfAwaited(awaiter);

    /// <summary><c>Task&lt;string&gt; in Flow.Download()</c></summary>
    public override string ToString() => $"{FrameNames.OfAwaited(awaiter)} in {(frame as ITravelSteps)?.Name}";

    public override void Apply(Resident resident)
    {
        if (Remove())
            frame.Turn();
    }

    void Send() => process.Post(this);

    void Add() => process.AddOutside(this);

    bool Remove() => process.RemoveOutside(this);
}
