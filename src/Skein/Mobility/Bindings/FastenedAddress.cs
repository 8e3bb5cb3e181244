using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>Where something is that was left behind, and how it is called. It stands in for it elsewhere.</summary>
/// <param name="owner">The name of its node.</param>
/// <param name="life">Of that node object.</param>
/// <param name="process">The process that left it there.</param>
/// <param name="number">Its number among what that has left.</param>
sealed class FastenedAddress(string owner, Guid life, string process, int number)
{
    public string Owner => owner;

    public Guid Life => life;

    public string ProcessId => process;

    public int Number => number;

    /// <summary>Whence it is called: the node that has read the address.</summary>
    [field: Transient]
    public MobileNode? From { get; init; }

    /// <exception cref="BindingBrokenException">It cannot be reached.</exception>
    public async Task<T> CallAsync<T>(FastenedCall<T> call)
    {
        call.Address = this;
        try
        {
            return await From!.AskAsync(owner, call).ConfigureAwait(false);
        }
        catch (NodeNotConnectedException e)
        {
            throw new BindingBrokenException(owner, e.Message, e);
        }
    }

    /// <summary>The object itself, at its node.</summary>
    public object Find(MobileNode node) => node.Life != life
        ? throw new BindingBrokenException(owner, "the node was started anew, and has lost it.")
        : node.Fastened.Find(process, number) ?? throw new BindingBrokenException(owner, $"mobile process {process} has ended, and it was let go of.");
}

/// <summary>A call of what is fastened, on its way to its node.</summary>
abstract class FastenedCall<T> : NodeRequest<T>
{
    public FastenedAddress Address { get; set; } = null!;

    protected sealed override ValueTask<T> RunAsync(MobileNode node) => CallAsync(Address.Find(node));

    protected abstract ValueTask<T> CallAsync(object target);
}

/// <summary>A function that goes to the object.</summary>
sealed class FunctionCall<TTarget, T>(Func<TTarget, ValueTask<T>> function) : FastenedCall<T>
{
    protected override ValueTask<T> CallAsync(object target) => function((TTarget)target);
}

/// <summary>A member of its interface.</summary>
/// <param name="contract">The interface.</param>
/// <param name="row">The method's in its table.</param>
/// <param name="types">Type arguments.</param>
sealed class MemberCall<T>(Type contract, int row, Type[] types, object?[] arguments) : FastenedCall<T>
{
    protected override async ValueTask<T> CallAsync(object target)
    {
        var method = MemberAt(contract, row, types);
        if (!contract.IsInstanceOfType(target))
            throw new InvalidDataException($"{SourceNames.Of(target.GetType())} is no {SourceNames.Of(contract)}.");
        object? result;
        try
        {
            result = method.Invoke(target, arguments);
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
        return result switch
        {
            Task<T> task => await task.ConfigureAwait(false),
            ValueTask<T> task => await task.ConfigureAwait(false),
            Task task => await NoResult(task).ConfigureAwait(false),
            ValueTask task => await NoResult(task.AsTask()).ConfigureAwait(false),
            _ => (T)result!,
        };
    }

    static async Task<T> NoResult(Task task)
    {
        await task.ConfigureAwait(false);
        return default!;
    }

    static MethodInfo MemberAt(Type contract, int row, Type[] types)
    {
        var method = contract.IsInterface ? Array.Find(contract.GetMethods(), each => (each.MetadataToken & 0xFFFFFF) == row && !each.IsStatic) : null;
        if (method is null || method.GetGenericArguments().Length != types.Length)
            throw new InvalidDataException($"{SourceNames.Of(contract)} has no such method.");
        return types.Length > 0 ? method.MakeGenericMethod(types) : method;
    }
}
