using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// An <c>async Mobile</c> method that waits: the compiler's state machine (where it is, its locals), who waits for it, and its result,
/// in one object.
/// </summary>
sealed class MethodFrame<TStateMachine, T> : MobileFrame<T>, ITravelSteps, IMethodFrame where TStateMachine : IAsyncStateMachine
{
    TStateMachine _stateMachine = default!;

    object IMethodFrame.StateMachine => _stateMachine;

    public string Name => FrameNames.Of(typeof(TStateMachine));

    public IEnumerable<(string Edge, object? Value)> Steps => FrameNames.Locals(_stateMachine).Concat(FrameNames.Links(this));

    /// <param name="stateMachine">A struct in release builds, which is copied; a class in debug builds.</param>
    /// <param name="field">The builder's own, which is part of the state machine: so it is set before the copy is made.</param>
    public static MobileFrame<T> Box(ref TStateMachine stateMachine, ref MobileFrame<T>? field)
    {
        var frame = new MethodFrame<TStateMachine, T>();
        field = frame;
        frame._stateMachine = stateMachine;
        return frame;
    }

    public override void CalleeEnded(MobileFrame callee) => Resident.Require().MakeReady(this);

    [StackTraceHidden]
    public override void Turn() => _stateMachine.MoveNext();

    protected override void Release() => _stateMachine = default!;
}

/// <summary>The same, where the types are not known.</summary>
interface IMethodFrame
{
    /// <summary>As it is, or a copy of it.</summary>
    object StateMachine { get; }
}
