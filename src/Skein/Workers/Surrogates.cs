using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>The values that stay with the caller and are reached from the worker: the list.</summary>
static class Surrogates
{
    /// <summary>
    /// Registers them before any other code of the library runs. How a type travels is decided once: had a value been written before, its type
    /// would be refused for ever.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The codec may be the first that an application uses, and does not know who is built on it.")]
    internal static void Register()
    {
        Surrogate.Register(new TokenSurrogate());
        Surrogate.Register(new ProgressSurrogate());
        Surrogate.Register(new CallbackSurrogate());
        if (OperatingSystem.IsLinux())
        {
            Surrogate.Register(new LeaseSurrogate());
            Surrogate.Register(new EndSurrogate());
            Surrogate.Register(new PassedDescriptorSurrogate());
        }
        else
        {
            Surrogate.Register(new UnsharedLeaseSurrogate());
        }
    }
}

/// <summary>A token is cancelled there when it is cancelled here.</summary>
sealed class TokenSurrogate : Surrogate
{
    const byte Never = 0, Already = 1, Linked = 2;

    public override bool Handles(Type type) => type == typeof(CancellationToken);

    public override void Write(GraphWriter writer, object value)
    {
        var token = (CancellationToken)value;
        if (token.IsCancellationRequested)
        {
            writer.WriteByte(Already);
        }
        else if (!token.CanBeCanceled)
        {
            writer.WriteByte(Never);
        }
        else
        {
            writer.WriteByte(Linked);
            writer.WriteNumber((ulong)Connection.Of(writer, value).Add(token));
        }
    }

    public override object Read(GraphReader reader) => reader.ReadByte() switch
    {
        Never => CancellationToken.None,
        Already => new CancellationToken(canceled: true),
        _ => Connection.Of(reader).Token((int)reader.ReadNumber()),
    };
}

/// <summary>What is reported there is reported here, in order.</summary>
sealed class ProgressSurrogate : Surrogate
{
    public override bool Handles(Type type) => Interface(type) is not null;

    public override string? WhyNotIn(Type field, Type type)
    {
        var reported = Interface(type)!.GetGenericArguments()[0];
        return field.IsAssignableFrom(typeof(RemoteProgress<>).MakeGenericType(reported))
            ? null
            : $"{SourceNames.Of(type)} stays with its caller, and what stands in for it is none: declare it as IProgress<{SourceNames.Of(reported)}>, or as Progress<{SourceNames.Of(reported)}>";
    }

    public override void Write(GraphWriter writer, object value)
    {
        var reported = Interface(value.GetType())!.GetGenericArguments()[0];
        var target = Activator.CreateInstance(typeof(ProgressTarget<>).MakeGenericType(reported), value)!;
        writer.WriteNumber((ulong)Connection.Of(writer, value).Add(target));
        writer.WriteType(reported);
    }

    public override object Read(GraphReader reader)
    {
        var number = (int)reader.ReadNumber();
        return Activator.CreateInstance(typeof(RemoteProgress<>).MakeGenericType(reader.ReadType()), Connection.Of(reader), number)!;
    }

    static Type? Interface(Type type) =>
        type.GetInterfaces().FirstOrDefault(each => each.IsGenericType && each.GetGenericTypeDefinition() == typeof(IProgress<>));
}

/// <summary>A progress that stayed with the caller.</summary>
abstract class ProgressTarget
{
    /// <summary>The task that reports.</summary>
    public WorkItem? Owner { get; set; }

    /// <summary>Reads a report, and returns what delivers it. What the handler throws fails the task.</summary>
    public abstract Action Read(GraphReader reader);
}

sealed class ProgressTarget<T>(IProgress<T> progress) : ProgressTarget
{
    public override Action Read(GraphReader reader)
    {
        var value = reader.Read<T>();
        reader.End();
        try
        {
            reader.Finish();   // runs code of the application's (the hashing of keys): a part of the handler
        }
        catch (Exception error)
        {
            return () => Owner!.FailByHandler(error);
        }

        return () =>
        {
            try
            {
                progress.Report(value);
            }
            catch (Exception error)
            {
                Owner!.FailByHandler(error);
            }
        };
    }
}

sealed class RemoteProgress<T>(WorkerReferences worker, int number) : Progress<T>   // fits where that is declared, and reports at once
{
    readonly int _call = worker.Call;

    protected override void OnReport(T value) => worker.Report(_call, number, value);
}

sealed class CallbackSurrogate : Surrogate
{
    public override bool Handles(Type type) => type.IsSubclassOf(typeof(CallbackTarget));

    public override void Write(GraphWriter writer, object value)
    {
        writer.WriteNumber((ulong)Connection.Of(writer, value).Add(value));
        writer.WriteType(value.GetType());
    }

    public override object Read(GraphReader reader)
    {
        var number = (int)reader.ReadNumber();
        var type = reader.ReadType();
        if (!Handles(type))
            throw new InvalidDataException($"{type} is no callback.");
        var shape = (CallbackTarget)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(type);
        return shape.StandIn(Connection.Of(reader), number);
    }
}

/// <summary>The connection that a message is written for or came by.</summary>
static class Connection
{
    public static ParentReferences Of(GraphWriter writer, object value) => writer.Context as ParentReferences
        ?? throw new Refusal(value, value.GetType(), "it stays with the process that made it, and can be passed only as an argument or a captured variable of a function.");

    public static WorkerReferences Of(GraphReader reader) => reader.Context as WorkerReferences
        ?? throw new InvalidDataException("A value that refers to a connection was read outside of one.");
}
