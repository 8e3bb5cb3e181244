using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// What the compiler keeps in a state machine while it waits. It holds the frame of what was called: so the chain of calls is a graph
/// of objects, and can be written.
/// </summary>
interface IMobileAwaiter
{
    MobileFrame Callee { get; }
}

/// <summary>For the compiler.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct MobileAwaiter : ICriticalNotifyCompletion, IMobileAwaiter
{
    readonly MobileFrame<ValueTuple>? _frame;

    internal MobileAwaiter(MobileFrame<ValueTuple>? frame) => _frame = frame;

    /// <summary>Whether the call has ended.</summary>
    public bool IsCompleted => _frame is null || _frame.HasEnded;

    MobileFrame IMobileAwaiter.Callee => _frame!;

    /// <summary>Throws what the call threw.</summary>
    [StackTraceHidden]
    public void GetResult() => _frame?.GetResult();

    /// <summary>For code that is not mobile: while it waits, the process cannot move.</summary>
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <summary>For code that is not mobile: while it waits, the process cannot move.</summary>
    public void UnsafeOnCompleted(Action continuation) => OutsideWaiter.Add(_frame, continuation);
}

/// <summary>For the compiler.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct MobileAwaiter<T> : ICriticalNotifyCompletion, IMobileAwaiter
{
    readonly MobileFrame<T>? _frame;
    readonly T _result;

    internal MobileAwaiter(MobileFrame<T>? frame, T result)
    {
        _frame = frame;
        _result = result;
    }

    /// <summary>Whether the call has ended.</summary>
    public bool IsCompleted => _frame is null || _frame.HasEnded;

    MobileFrame IMobileAwaiter.Callee => _frame!;

    /// <summary>The result; throws what the call threw.</summary>
    [StackTraceHidden]
    public T GetResult() => _frame is null ? _result : _frame.GetResult();

    /// <summary>For code that is not mobile: while it waits, the process cannot move.</summary>
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <summary>For code that is not mobile: while it waits, the process cannot move.</summary>
    public void UnsafeOnCompleted(Action continuation) => OutsideWaiter.Add(_frame, continuation);
}
