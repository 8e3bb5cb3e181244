namespace Skein;

/// <summary>How a process ended, as it is sent home.</summary>
abstract class MobileOutcome
{
    public Exception? Error { get; init; }

    /// <summary>Its result, of whatever type; null where it has none.</summary>
    public abstract object? Value { get; }

    public static MobileOutcome Failed(Exception error) => new MobileOutcome<ValueTuple> { Error = error };
}

/// <summary>The same, with its result.</summary>
sealed class MobileOutcome<T> : MobileOutcome
{
    public T Result { get; init; } = default!;

    public override object? Value => Result is ValueTuple ? null : Result;
}

/// <summary>It was ended from outside, and not by a token of its own.</summary>
sealed class ProcessKilledException(string message) : OperationCanceledException(message);
