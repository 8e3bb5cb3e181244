namespace Skein;

/// <summary>
/// A mobile process did not move, or could not be stored. Nothing has changed: it goes on where it is. The message says what kept it,
/// with the way from the process to it, and what to do.
/// </summary>
public sealed class CannotMoveException : InvalidOperationException
{
    readonly string? _path;

    internal CannotMoveException(string message, Exception? inner = null) : base(message, inner) => _path = (inner as CannotTravelException)?.Path;

    /// <summary>As another node has told it.</summary>
    internal CannotMoveException(string message, string? path) : base(message) => _path = path;

    /// <summary>From the process to what cannot travel, such as <c>Flow.Step() → local 'log' → _stream</c>; null where nothing of it is in the way.</summary>
    public string? Path => _path;

    /// <summary>The function that is in the way of an upgrade.</summary>
    internal FunctionPlace? Function { get; init; }

    /// <summary>There is no process any more that could.</summary>
    internal bool IsEnd { get; private init; }

    /// <summary>The limit passed: another time it may be possible.</summary>
    internal bool IsLate { get; init; }

    internal static CannotMoveException For(Resident process, Exception refusal) => new(
        refusal is CannotTravelException { Type: var type }
            ? $"Mobile process {process.Id} stays at node {process.Node.Name}. {refusal.Message}. {Advice(type)}"
            : $"Mobile process {process.Id} stays at node {process.Node.Name}: it could not be written. {refusal.Message}",
        refusal);

    internal static CannotMoveException TooLate(Resident process, string destination, TimeSpan limit) => new(
        $"Mobile process {process.Id} could not leave node {process.Node.Name} for {destination} within {limit.TotalSeconds:0.###} s: {process.WhyNotYet()} It goes on where it is.");

    internal static CannotMoveException HasEnded(string message) => new(message) { IsEnd = true };

    static string Advice(Type culprit)
    {
        if (culprit.IsAssignableTo(typeof(Task)))
            return "A task that failed or was cancelled cannot travel: await it before the move, or let go of it.";
        if (culprit.IsAssignableTo(typeof(Stream)) || culprit.IsAssignableTo(typeof(TextReader)) || culprit.IsAssignableTo(typeof(TextWriter)))
            return "Close it before the process waits and open it again afterwards, or ask each node for its own by Here.Resource.";
        if (culprit == typeof(Lock) || culprit.FullName?.StartsWith("System.Threading.", StringComparison.Ordinal) == true)
            return "The turns of a process never overlap, so that it needs no lock of its own; else ask each node for its own by Here.Resource.";
        return "Let go of it before the process waits, mark the field with [Transient] if it can be made again, or ask each node for its own by Here.Resource.";
    }
}
