namespace Skein;

/// <summary>Waits for its turn and nothing else. One for all: who waits for it stands in the queue of its process at once.</summary>
sealed class YieldFrame : MobileFrame<ValueTuple>
{
    public static readonly YieldFrame One = new();

    public override void Await(Waiter waiter) => Resident.Require().MakeReady(waiter);
}
