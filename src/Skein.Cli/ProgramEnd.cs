namespace Skein.Cli;

/// <summary>How a program ended, or failed to begin, as a shell would say it.</summary>
static class ProgramEnd
{
    const int ArgumentsTooLong = 7, NotAProgram = 8;

    public static JobEnd Of(Exit exit, bool stopped)
    {
        var memory = exit.Use.PeakIsUpperBound ? 0 : exit.Use.PeakResidentBytes;
        return exit.Cause switch
        {
            ExitCause.Returned when !stopped || exit.Code == 0 => new(JobCause.Exited, exit.Code, PeakMemory: memory),
            ExitCause.TimedOut => new(JobCause.TimedOut, ExitCode.TimedOut, exit.Signal, PeakMemory: memory),
            ExitCause.OutOfMemory => new(JobCause.OutOfMemory, ExitCode.OutOfMemory, exit.Signal, PeakMemory: memory),
            _ when stopped || exit.Cause == ExitCause.Killed => new(JobCause.Stopped, exit.ShellCode, exit.Signal, PeakMemory: memory),
            _ => new(JobCause.Signalled, exit.ShellCode, exit.Signal, PeakMemory: memory),
        };
    }

    /// <summary>How a function ended whose worker died of it.</summary>
    public static JobEnd OfWorker(Exit exit) => exit.Cause switch
    {
        ExitCause.Returned => new(JobCause.Threw, exit.Code is > 0 and < 256 ? exit.Code : ExitCode.Software, Detail: $"the function ended its process with code {exit.Code}"),
        ExitCause.Lost => new(JobCause.Threw, ExitCode.Software, Detail: "the worker could not be understood any more"),
        _ => Of(exit, stopped: false),
    };

    /// <summary>Null for what has nothing to do with this one program.</summary>
    public static JobEnd? OfStart(Exception error) => error switch
    {
        FileNotFoundException => new(JobCause.NotStarted, ExitCode.NotFound, Detail: error.Message),
        UnauthorizedAccessException or ArgumentException => new(JobCause.NotStarted, ExitCode.NotExecutable, Detail: error.Message),
        PlaceException { InnerException: IOException { HResult: ArgumentsTooLong or NotAProgram } } => new(JobCause.NotStarted, ExitCode.NotExecutable, Detail: error.Message),
        PlaceException => new(JobCause.NotStarted, ExitCode.Temporary, Detail: error.Message),
        _ => null,
    };
}
