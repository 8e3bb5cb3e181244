using System.Buffers;
using System.Collections;
using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>
/// An exception as plain fields. Exceptions are the one thing every pool must carry and few survive: a strange class (a constructor
/// with two arguments, a property that throws) must cost nobody more than its own message, so the user's type is rebuilt from its
/// fields, in a try, by the one who asks.
/// </summary>
sealed class FaultRecord
{
    const int MaxInner = 8;   // deep enough for every honest chain of causes

    public string Type = "", Message = "", Stack = "";
    public KeyValuePair<string, string>[] Data = [];
    public FaultRecord? Inner;
    public byte[]? Image;

    /// <summary>Takes down an exception. Never throws.</summary>
    public static FaultRecord Of(Exception error, int depth = 0)
    {
        var record = new FaultRecord { Type = error.GetType().FullName ?? error.GetType().Name };
        record.Message = Try(() => error.Message) ?? "(the exception's message could not be read)";
        record.Stack = Try(() => error.StackTrace) ?? "";
        record.Data = Try(() => error.Data.Cast<DictionaryEntry>()
            .Select(entry => KeyValuePair.Create(entry.Key.ToString() ?? "", entry.Value?.ToString() ?? "")).ToArray()) ?? [];
        if (error.InnerException is { } inner && depth < MaxInner)
            record.Inner = Of(inner, depth + 1);
        if (depth == 0)
        {
            record.Image = Try(() =>
            {
                var bytes = new ArrayBufferWriter<byte>();
                GraphCodec.Encode(error, bytes);
                return bytes.WrittenSpan.ToArray();
            });
        }

        return record;
    }

    /// <summary>The exception to throw here: of the type that was thrown there if its fields allow it, else a <see cref="RemoteException"/>.</summary>
    /// <exception cref="InvalidDataException">It is none that <see cref="Of"/> makes: its sender has lost its senses.</exception>
    public Exception ToException()
    {
        Check();
        var error = Image is null ? null : Try(() => GraphCodec.Decode<Exception>(Image));
        if (error is null || Try(() => error.Message) is null)
            return new RemoteException(this);
        return Try(() => ExceptionDispatchInfo.SetRemoteStackTrace(error, Stack)) ?? error;
    }

    // A chain of causes that bites its own tail would cost whoever walks it its stack, and with that the process.
    void Check()
    {
        var depth = 0;
        for (var record = this; record is not null; record = record.Inner)
        {
            if (depth++ > MaxInner || record is not { Type: not null, Message: not null, Stack: not null, Data: not null } || record.Data.Any(static entry => entry.Key is null))
                throw new InvalidDataException("The description of a fault is damaged.");
        }
    }

    // What is caught here is whatever a stranger's property or field makes happen; the record goes on without it.
    static T? Try<T>(Func<T?> part) where T : class
    {
        try
        {
            return part();
        }
        catch (Exception)
        {
            return null;
        }
    }
}
