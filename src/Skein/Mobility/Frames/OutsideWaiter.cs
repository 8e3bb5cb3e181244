namespace Skein;

/// <summary>Ordinary code that waits for a mobile call. Its continuation cannot be written.</summary>
[StaysHere("ordinary Task code waits for this mobile call, and cannot be written. Await it from mobile code only, or move before or after")]
sealed class OutsideWaiter(Action continuation) : Waiter
{
    public static void Add(MobileFrame? frame, Action continuation)
    {
        if (frame is null)
            continuation();
        else
            frame.Await(new OutsideWaiter(continuation));
    }

    public override void CalleeEnded(MobileFrame callee) => Turn();

    public override void Turn() => ThreadPool.UnsafeQueueUserWorkItem(static go => go(), continuation, preferLocal: false);
}
