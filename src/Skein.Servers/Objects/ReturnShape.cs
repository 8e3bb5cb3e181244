namespace Skein;

/// <summary>What a method returns: nothing or a value, at once or as a task. Both sides have a use for it.</summary>
abstract class ReturnShape
{
    /// <exception cref="ArgumentException">No such result leaves its process.</exception>
    public static ReturnShape Of(Type type, string subject)
    {
        var form = Form(type);
        var isPlain = form is ReturnForm.Value || !type.IsGenericType;
        var result = type == typeof(void) || (form is not ReturnForm.Value && isPlain) ? typeof(object) : isPlain ? type : type.GenericTypeArguments[0];
        if (result.IsGenericType && result.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>))
            throw new ArgumentException($"{subject}: the values of its result come one by one, and a call has one answer: return a list, or a part of it for each call.");
        var wire = ValueWire.Of(result, $"{subject}: its result");
        return (ReturnShape)Activator.CreateInstance(typeof(ReturnShape<>).MakeGenericType(result), form, type != typeof(void) && (form is ReturnForm.Value || !isPlain), wire)!;
    }

    static ReturnForm Form(Type type)
    {
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return definition == typeof(Task) || definition == typeof(Task<>) ? ReturnForm.Task
            : definition == typeof(ValueTask) || definition == typeof(ValueTask<>) ? ReturnForm.ValueTask
            : ReturnForm.Value;
    }

    /// <summary>For the server: waits for what the method returned.</summary>
    public abstract ValueTask<object?> AwaitAsync(object? returned);

    /// <summary>For the server.</summary>
    public abstract void Write(GraphWriter writer, object? result);

    /// <summary>For the client: a call that waits for a result of this kind.</summary>
    public abstract PendingCall NewCall();

    /// <summary>For the client: what the proxy's method returns. A synchronous method waits here.</summary>
    public abstract object? Give(PendingCall call);
}

/// <summary>How a result comes.</summary>
enum ReturnForm
{
    Value,
    Task,
    ValueTask,
}

/// <inheritdoc cref="ReturnShape"/>
/// <param name="form">How the result comes.</param>
/// <param name="hasValue">Whether there is one.</param>
/// <param name="wire">How it is written.</param>
sealed class ReturnShape<T>(ReturnForm form, bool hasValue, ValueWire wire) : ReturnShape
{
    public override async ValueTask<object?> AwaitAsync(object? returned)
    {
        // The object's code goes on where it wants to: on its thread, if it has one.
        switch (form)
        {
            case ReturnForm.Value:
                return returned;
            case ReturnForm.Task when hasValue:
                return await ((Task<T>)returned!).ConfigureAwait(true);
            case ReturnForm.Task:
                await ((Task)returned!).ConfigureAwait(true);
                return null;
            default:
                if (hasValue)
                    return await ((ValueTask<T>)returned!).ConfigureAwait(true);
                await ((ValueTask)returned!).ConfigureAwait(true);
                return null;
        }
    }

    public override void Write(GraphWriter writer, object? result) => wire.Write(writer, result);

    public override PendingCall NewCall() => new PendingCall<T>();

    public override object? Give(PendingCall call)
    {
        var task = ((PendingCall<T>)call).Result;
        return form switch
        {
            ReturnForm.Value => hasValue ? task.GetAwaiter().GetResult() : Wait(task),
            ReturnForm.Task => task,
            _ => hasValue ? new ValueTask<T>(task) : new ValueTask(task),
        };
    }

    static object? Wait(Task task)
    {
        task.GetAwaiter().GetResult();
        return null;
    }
}
