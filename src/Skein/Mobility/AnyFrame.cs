namespace Skein;

/// <summary>Waits for the first of several calls; its result is that one's place in the list.</summary>
sealed class AnyFrame : MobileFrame<int>
{
    public static Mobile<int> Of(MobileFrame?[] callees)
    {
        ArgumentOutOfRangeException.ThrowIfZero(callees.Length, nameof(callees));
        var ended = Array.FindIndex(callees, static callee => callee is null or { HasEnded: true });
        if (ended >= 0)
            return new(ended);
        var any = new AnyFrame();
        for (var i = 0; i < callees.Length; i++)
            callees[i]!.Await(new Branch(any, i));
        return new(any);
    }

    sealed class Branch(AnyFrame any, int place) : Waiter
    {
        public override void CalleeEnded(MobileFrame callee) => Turn();

        public override void Turn()
        {
            if (!any.HasEnded)
                any.Succeed(place);
        }
    }
}
