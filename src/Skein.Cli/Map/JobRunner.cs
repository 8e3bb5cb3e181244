namespace Skein.Cli;

/// <summary>What is done with each input: a program is run (<see cref="ProgramRunner"/>) or a function called (FunctionRunner).</summary>
abstract class JobRunner
{
    /// <summary>The job as a line for the log and for messages.</summary>
    public abstract string Describe(Job job);

    /// <summary>Runs the job once. How it ends is the result; it does not throw for what goes wrong with the job alone.</summary>
    /// <param name="stop">Stops the job: gracefully, and after the grace period forcefully.</param>
    /// <exception cref="CommandFailure">No job can be run any more.</exception>
    public abstract Task<JobEnd> RunAsync(Job job, JobOutput output, CancellationToken stop);

    /// <summary>Ends all running jobs at once.</summary>
    public abstract void Kill();

    /// <summary>How often a worker was replaced; null where no worker outlives its job.</summary>
    public virtual long? Restarts => null;
}
