namespace Skein.Cli;

/// <summary>Why a job ended.</summary>
enum JobCause
{
    Exited,
    Signalled,
    TimedOut,
    OutOfMemory,

    /// <summary>The run was stopped: by <c>--halt now</c>, or by Ctrl-C.</summary>
    Stopped,

    /// <summary>The program could not be started.</summary>
    NotStarted,

    /// <summary>The function threw, or its arguments could not be made of the input.</summary>
    Threw,
}

/// <summary>How one try of a job ended.</summary>
/// <param name="ExitCode">As a shell would say it: 0 success, 124 time-out, 128+n signal n, and so on.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
/// <param name="Detail">What to tell about a failure beyond the code.</param>
/// <param name="PeakMemory">In bytes; 0 where it is not known.</param>
readonly record struct JobEnd(JobCause Cause, int ExitCode, int Signal = 0, string? Detail = null, long PeakMemory = 0)
{
    public bool Succeeded => ExitCode == 0 && Cause == JobCause.Exited;

    public string Describe() => Cause switch
    {
        JobCause.Signalled => $"killed by signal {Signal}",
        JobCause.TimedOut => "timed out",
        JobCause.OutOfMemory => "out of memory",
        JobCause.Stopped => "stopped",
        JobCause.NotStarted or JobCause.Threw => Detail ?? $"exit code {ExitCode}",
        _ => $"exit code {ExitCode}",
    };
}

/// <summary>A job that has ended, with all that is to be told about it.</summary>
sealed class JobResult(Job job, string command, JobOutput output)
{
    public Job Job { get; } = job;

    /// <summary>The command as a shell line; for a function its call.</summary>
    public string Command { get; } = command;

    public JobOutput Output { get; } = output;

    /// <summary>How the last try ended.</summary>
    public JobEnd End { get; set; }

    public int Tries { get; set; }

    public DateTimeOffset Started { get; set; }

    public TimeSpan Duration { get; set; }
}

/// <summary>What a job writes: each stream whole, kept until it is the job's turn.</summary>
sealed class JobOutput : IDisposable
{
    public OutputBuffer Output { get; } = new();

    public OutputBuffer Error { get; } = new();

    public void Reset()
    {
        Output.Reset();
        Error.Reset();
    }

    public void Dispose()
    {
        Output.Dispose();
        Error.Dispose();
    }
}
