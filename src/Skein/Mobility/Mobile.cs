using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>
/// The task type of a function that can move while it runs, and be stored and go on after a crash.
/// <code>
/// static async Mobile&lt;long&gt; Survey(string[] nodes)
/// {
///     long total = 0;
///     foreach (var node in nodes)
///     {
///         await Here.MoveTo(node);                                // program counter and locals travel
///         total += Here.Resource&lt;Ledger&gt;("ledger").Count();       // each node's own
///     }
///     return total;
/// }
/// </code>
/// It is awaited like a <see cref="ValueTask"/>, as often as one likes. A call that does not wait allocates nothing.
/// </summary>
[AsyncMethodBuilder(typeof(MobileMethodBuilder))]
public readonly struct Mobile
{
    internal Mobile(MobileFrame<ValueTuple>? frame) => Frame = frame;

    /// <summary>Null when the call ended without waiting.</summary>
    internal MobileFrame<ValueTuple>? Frame { get; }

    /// <summary>Whether the call has ended, well or not.</summary>
    public bool IsCompleted => Frame is null || Frame.HasEnded;

    /// <summary>For the compiler.</summary>
    public MobileAwaiter GetAwaiter() => new(Frame);

    /// <summary>Accepted so that ported code compiles: a mobile function always goes on in its own process.</summary>
    public Mobile ConfigureAwait(bool continueOnCapturedContext)
    {
        _ = continueOnCapturedContext;
        return this;
    }

    /// <summary>Waits until all calls have ended. They run concurrently, one at a time, and travel together.</summary>
    /// <exception cref="Exception">The first of them that failed; the others have ended too.</exception>
    public static async Mobile WhenAll(params Mobile[] calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        Exception? first = null;
        foreach (var call in calls)
        {
            try
            {
                await call;
            }
            catch (Exception e)
            {
                first ??= e;
            }
        }
        if (first is not null)
            ExceptionDispatchInfo.Throw(first);
    }

    /// <summary>Waits until all calls have ended; their results, in the order of the calls.</summary>
    /// <exception cref="Exception">The first of them that failed; the others have ended too.</exception>
    public static async Mobile<T[]> WhenAll<T>(params Mobile<T>[] calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        var results = new T[calls.Length];
        Exception? first = null;
        for (var i = 0; i < calls.Length; i++)
        {
            try
            {
                results[i] = await calls[i];
            }
            catch (Exception e)
            {
                first ??= e;
            }
        }
        if (first is not null)
            ExceptionDispatchInfo.Throw(first);
        return results;
    }

    /// <summary>Waits for the first call that ends, well or not; its place in the list. The others go on.</summary>
    public static Mobile<int> WhenAny(params Mobile[] calls) => AnyFrame.Of(Array.ConvertAll(calls, MobileFrame? (call) => call.Frame));

    /// <summary>Waits for the first call that ends, well or not; its place in the list. The others go on.</summary>
    public static Mobile<int> WhenAny<T>(params Mobile<T>[] calls) => AnyFrame.Of(Array.ConvertAll(calls, MobileFrame? (call) => call.Frame));
}

/// <summary>The same with a result: see <see cref="Mobile"/>.</summary>
[AsyncMethodBuilder(typeof(MobileMethodBuilder<>))]
public readonly struct Mobile<T>
{
    readonly T _result;

    internal Mobile(T result) => _result = result;

    internal Mobile(MobileFrame<T> frame)
    {
        Frame = frame;
        _result = default!;
    }

    /// <summary>Null when the call ended without waiting.</summary>
    internal MobileFrame<T>? Frame { get; }

    /// <summary>Whether the call has ended, well or not.</summary>
    public bool IsCompleted => Frame is null || Frame.HasEnded;

    /// <summary>For the compiler.</summary>
    public MobileAwaiter<T> GetAwaiter() => new(Frame, _result);

    /// <summary>Accepted so that ported code compiles: a mobile function always goes on in its own process.</summary>
    public Mobile<T> ConfigureAwait(bool continueOnCapturedContext)
    {
        _ = continueOnCapturedContext;
        return this;
    }
}
