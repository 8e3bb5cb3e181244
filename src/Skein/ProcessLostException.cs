namespace Skein;

/// <summary>
/// The process that ran the function is gone before it had a result: it crashed, ran out of memory, was killed or took too long. What it
/// had done until then is done. A pool replaces it, and its other tasks are not affected.
/// </summary>
public sealed class ProcessLostException : Exception
{
    internal ProcessLostException(string process, Exit exit, string? advice = null)
        : base($"Process {process} {exit.Describe()}{(advice is null ? "" : $" {advice}")}{Tail(exit)}")
    {
        ProcessId = process;
        Exit = exit;
    }

    /// <summary>It was lost with what it ran in.</summary>
    internal ProcessLostException(string message, string process, Exit exit) : base(message)
    {
        ProcessId = process;
        Exit = exit;
    }

    /// <summary>The id of the process, as <see cref="Process{TResult}.Id"/>.</summary>
    public string ProcessId { get; }

    /// <summary>How it ended.</summary>
    public Exit Exit { get; }

    static string Tail(Exit exit) =>
        exit.StandardError.Length == 0 ? "" : $"{Environment.NewLine}It last wrote to standard error:{Environment.NewLine}{exit.StandardError}";
}
