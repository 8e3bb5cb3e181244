namespace Skein;

/// <summary>Waits for the first of several calls; its result is that one's place in the list.</summary>
sealed class AnyFrame : MobileFrame<int>
{
    Branch[] _branches = [];

    public static Mobile<int> Of(MobileFrame?[] callees)
    {
        ArgumentOutOfRangeException.ThrowIfZero(callees.Length, nameof(callees));
        var ended = Array.FindIndex(callees, static callee => callee is null or { HasEnded: true });
        if (ended >= 0)
            return new(ended);
        var any = new AnyFrame();
        any._branches = [.. callees.Select((callee, place) => new Branch(any, callee!, place))];
        foreach (var branch in any._branches)
            branch.Begin();
        return new(any);
    }

    /// <summary>The calls that were not the first go on, and forget this one: a call that is in many such lists, one after the other, does not grow.</summary>
    protected override void Release()
    {
        foreach (var branch in _branches)
            branch.End();
        _branches = [];
    }

    sealed class Branch(AnyFrame any, MobileFrame callee, int place) : Waiter
    {
        public override MobileFrame Frame => any;

        public void Begin() => callee.Await(this);

        public void End() => callee.Forget(this);

        public override void CalleeEnded(MobileFrame callee) => Turn();

        public override void Turn()
        {
            if (!any.HasEnded)
                any.Succeed(place);
        }
    }
}
