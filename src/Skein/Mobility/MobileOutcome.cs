namespace Skein;

/// <summary>How a process ended, as it is sent home.</summary>
abstract class MobileOutcome
{
    public Exception? Error { get; init; }

    public static MobileOutcome Failed(Exception error) => new MobileOutcome<ValueTuple> { Error = error };
}

/// <summary>The same, with its result.</summary>
sealed class MobileOutcome<T> : MobileOutcome
{
    public T Result { get; init; } = default!;
}
