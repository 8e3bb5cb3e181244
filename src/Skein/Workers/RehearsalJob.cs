namespace Skein;

/// <summary>
/// Makes a worker ready for a kind of job before it gets one: types are loaded, the function and the way of its result are compiled, and
/// nothing of the application's runs. A worker that shares this process's memory needs none of it.
/// </summary>
sealed class RehearsalJob(Job job) : Job<Nothing>
{
    public override Delegate Function => job.Function;

    public override ValueTask<Nothing> InvokeAsync()
    {
        WorkerProgram.Current?.Rehearse(job);
        return default;
    }
}
