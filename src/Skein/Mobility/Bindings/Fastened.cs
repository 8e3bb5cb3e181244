using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// For a field, declared as an interface, whose object stays at the node where the process leaves it: elsewhere the field holds a stand-in that
/// carries each call to it, and back there the object itself.
/// <code>
/// interface ILedger { Task AddAsync(decimal amount); }
///
/// sealed class Surveyor(ILedger ledger)
/// {
///     [Fastened] readonly ILedger _ledger = ledger;
/// }
/// </code>
/// Arguments, results and failures are copied. While a call is under way the process stays where it is. A method without a task blocks until it
/// has been carried out. A call throws <see cref="BindingBrokenException"/> when the object's node is gone. Several processes may call at
/// once, and calls do not run in a turn of a process. The object is kept until the process has ended. For a local, or a class without an
/// interface, see <see cref="Fastened{T}"/>.
/// </summary>
public sealed class FastenedAttribute : BindingAttribute
{
    readonly bool _asAddress;

    /// <summary>For fields that are declared as an interface.</summary>
    public FastenedAttribute()
    {
    }

    /// <param name="asAddress">Elsewhere the field holds a <see cref="FastenedAddress"/>.</param>
    internal FastenedAttribute(bool asAddress) => _asAddress = asAddress;

    internal override Type Codec(Type field) =>
        (field.IsInterface || _asAddress ? typeof(FastenedCodec<>) : typeof(UnboundCodec<>)).MakeGenericType(field);
}

/// <summary>
/// Something that stays at the node where its process leaves it, and is called from wherever that goes.
/// <code>
/// var ledger = Fastened.Of(new Ledger());
/// await Here.MoveTo("b");
/// await ledger.Call(l => l.Add(5));       // the function goes to the ledger
/// </code>
/// </summary>
public sealed class Fastened<T> where T : class
{
    [Fastened(asAddress: true)] readonly object _target;

    internal Fastened(T target) => _target = target;

    /// <summary>Whether it is at the node where the process is now.</summary>
    public bool IsHere => _target is not FastenedAddress;

    /// <summary>Calls a function with it, where it is. What the function captures, and its result, are copied if that is elsewhere.</summary>
    /// <exception cref="BindingBrokenException">Its node is gone. If the call had begun, it may have been carried out.</exception>
    /// <exception cref="Exception">What the function threw.</exception>
    public async Mobile<TResult> Call<TResult>(Func<T, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return IsHere ? function((T)_target) : await CallThere(target => new ValueTask<TResult>(function(target))).ConfigureAwait(false);
    }

    /// <inheritdoc cref="Call{TResult}(Func{T, TResult})"/>
    [OverloadResolutionPriority(1)]
    public async Mobile<TResult> Call<TResult>(Func<T, Task<TResult>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return IsHere ? await function((T)_target).ConfigureAwait(false) : await CallThere(target => new ValueTask<TResult>(function(target))).ConfigureAwait(false);
    }

    /// <inheritdoc cref="Call{TResult}(Func{T, TResult})"/>
    public async Mobile Call(Action<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (IsHere)
        {
            function((T)_target);
            return;
        }
        await CallThere(target =>
        {
            function(target);
            return new ValueTask<bool>(true);
        }).ConfigureAwait(false);
    }

    /// <inheritdoc cref="Call{TResult}(Func{T, TResult})"/>
    [OverloadResolutionPriority(1)]
    public async Mobile Call(Func<T, Task> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (IsHere)
            await function((T)_target).ConfigureAwait(false);
        else
            await CallThere(target => WithoutResult(function(target))).ConfigureAwait(false);
    }

    static async ValueTask<bool> WithoutResult(Task task)
    {
        await task.ConfigureAwait(false);
        return true;
    }

    Task<TResult> CallThere<TResult>(Func<T, ValueTask<TResult>> function) =>
        ((FastenedAddress)_target).CallAsync(new FunctionCall<T, TResult>(function));
}

/// <summary>Makes a <see cref="Fastened{T}"/>.</summary>
public static class Fastened
{
    /// <summary>Something of this node, which is to stay at it.</summary>
    public static Fastened<T> Of<T>(T value) where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }
}
