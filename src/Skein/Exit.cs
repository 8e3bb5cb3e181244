namespace Skein;

/// <summary>Why a process ended.</summary>
public enum ExitCause
{
    /// <summary>It returned: the code says what.</summary>
    Returned,

    /// <summary>A signal that nobody of ours sent ended it: a crash, or somebody's kill.</summary>
    Signalled,

    /// <summary>It reached its memory limit, or the machine's.</summary>
    OutOfMemory,

    /// <summary>It took longer than it was given.</summary>
    TimedOut,

    /// <summary>We killed it: it was asked to, or the grace period after a stop was over.</summary>
    Killed,

    /// <summary>The connection to it cannot be used any more: it sent what cannot be read, or its node has ended.</summary>
    Lost,
}

/// <summary>How a process ended, and what it had used.</summary>
/// <param name="Cause">Why.</param>
/// <param name="Code">What it returned; -1 when a signal ended it.</param>
/// <param name="Signal">The signal that ended it; 0 when none did.</param>
/// <param name="Use">Processor time, memory, faults and switches of the process and of the children it waited for.</param>
/// <param name="StandardError">The last lines of its standard error, as far as they were kept; never null.</param>
public sealed record Exit(ExitCause Cause, int Code, int Signal, ResourceUse Use, string StandardError)
{
    /// <summary>The exit code a shell would show: the code, or 128 plus the signal.</summary>
    public int ShellCode => Signal > 0 ? 128 + Signal : Code;

    /// <summary>What the caller of a function is told when its process ended so.</summary>
    internal Exception ToException(string process) => Cause == ExitCause.TimedOut
        ? new TimeoutException($"Process {process} {Describe()}", new ProcessLostException(process, this))
        : new ProcessLostException(process, this);

    internal string Describe() => Cause switch
    {
        ExitCause.Returned => $"ended with code {Code} before it had a result.",
        ExitCause.Signalled => $"was ended by signal {Signal}{Name}.",
        ExitCause.OutOfMemory => "ran out of memory and was killed.",
        ExitCause.TimedOut => "took longer than its time-out.",
        ExitCause.Killed => "was killed.",
        _ => "sent what cannot be read and was killed.",
    };

    string Name => Signal switch
    {
        4 => " (SIGILL: illegal instruction)",
        6 => " (SIGABRT: it gave up, as after an unhandled exception, a stack overflow or FailFast)",
        7 => " (SIGBUS: memory that cannot be had, as of a truncated file)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV: invalid memory access)",
        15 => " (SIGTERM)",
        _ => "",
    };
}
