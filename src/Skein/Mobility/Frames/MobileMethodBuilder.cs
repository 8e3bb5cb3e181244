using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>For the compiler: it puts one into the state machine of each <c>async Mobile</c> method.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Performance", "CA1822", Justification = "The compiler says which members are static.")]
[SuppressMessage("Design", "CA1000", Justification = "The compiler says which members are static.")]
public struct MobileMethodBuilder
{
    MobileFrame<ValueTuple>? _frame;   // from the first wait on: the object that holds the state machine

    /// <summary>The call, as its caller sees it.</summary>
    public readonly Mobile Task => new(_frame);

    /// <summary>A builder for one call.</summary>
    public static MobileMethodBuilder Create() => default;

    /// <summary>Runs the method up to its first wait.</summary>
    [StackTraceHidden]
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <summary>Not called by today's compilers.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) => _ = stateMachine;

    /// <summary>The method has ended well.</summary>
    public readonly void SetResult() => _frame?.Succeed(default);

    /// <summary>The method has failed.</summary>
    public void SetException(Exception exception) => (_frame ??= new FailedFrame<ValueTuple>()).Fail(exception);

    /// <summary>The method waits.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var frame = _frame ?? MethodFrame<TStateMachine, ValueTuple>.Box(ref stateMachine, ref _frame);
        if (awaiter is IMobileAwaiter)
            ((IMobileAwaiter)awaiter).Callee.Await(frame);
        else
            OutsideAwait.Begin(ref awaiter, frame);
    }

    /// <summary>The method waits.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var frame = _frame ?? MethodFrame<TStateMachine, ValueTuple>.Box(ref stateMachine, ref _frame);
        if (awaiter is IMobileAwaiter)
            ((IMobileAwaiter)awaiter).Callee.Await(frame);
        else
            OutsideAwait.BeginUnsafe(ref awaiter, frame);
    }
}

/// <summary>For the compiler: it puts one into the state machine of each <c>async Mobile&lt;T&gt;</c> method.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Performance", "CA1822", Justification = "The compiler says which members are static.")]
[SuppressMessage("Design", "CA1000", Justification = "The compiler says which members are static.")]
public struct MobileMethodBuilder<T>
{
    MobileFrame<T>? _frame;
    T _result;   // of a call that never waited

    /// <summary>The call, as its caller sees it.</summary>
    public readonly Mobile<T> Task => _frame is null ? new(_result) : new(_frame);

    /// <summary>A builder for one call.</summary>
    public static MobileMethodBuilder<T> Create() => default;

    /// <summary>Runs the method up to its first wait.</summary>
    [StackTraceHidden]
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <summary>Not called by today's compilers.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) => _ = stateMachine;

    /// <summary>The method has ended well.</summary>
    public void SetResult(T result)
    {
        if (_frame is null)
            _result = result;
        else
            _frame.Succeed(result);
    }

    /// <summary>The method has failed.</summary>
    public void SetException(Exception exception) => (_frame ??= new FailedFrame<T>()).Fail(exception);

    /// <summary>The method waits.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var frame = _frame ?? MethodFrame<TStateMachine, T>.Box(ref stateMachine, ref _frame);
        if (awaiter is IMobileAwaiter)
            ((IMobileAwaiter)awaiter).Callee.Await(frame);
        else
            OutsideAwait.Begin(ref awaiter, frame);
    }

    /// <summary>The method waits.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var frame = _frame ?? MethodFrame<TStateMachine, T>.Box(ref stateMachine, ref _frame);
        if (awaiter is IMobileAwaiter)
            ((IMobileAwaiter)awaiter).Callee.Await(frame);
        else
            OutsideAwait.BeginUnsafe(ref awaiter, frame);
    }
}
