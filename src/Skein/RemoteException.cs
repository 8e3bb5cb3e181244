namespace Skein;

/// <summary>
/// A function failed in another process with an exception that cannot be rebuilt here (its type is unknown, or holds what cannot
/// travel). The process that ran it can still be used.
/// </summary>
public sealed class RemoteException : Exception
{
    internal RemoteException(FaultRecord record)
        : base($"{record.Type}: {record.Message}", record.Inner is { } inner ? new RemoteException(inner) : null)
    {
        TypeName = record.Type;
        RemoteStackTrace = record.Stack;
        foreach (var (key, value) in record.Data)
            Data[key] = value;
    }

    /// <summary>The full name of the type that was thrown.</summary>
    public string TypeName { get; }

    /// <summary>The stack at the place where it was thrown, with file and line where symbols are there.</summary>
    public string RemoteStackTrace { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{base.ToString()}{Environment.NewLine}--- in the other process ---{Environment.NewLine}{RemoteStackTrace}";
}
