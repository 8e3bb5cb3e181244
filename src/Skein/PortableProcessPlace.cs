namespace Skein;

/// <summary>
/// A process is an operating-system process, on systems of which nothing more is used than .NET has for all of them.
/// <see cref="OsProcessPlace"/> is faster and holds processes tighter where it can run.
/// </summary>
sealed class PortableProcessPlace : Place
{
    public override string ToString() => nameof(OsProcess);

    public override Task<Process<int>> StartProgramAsync(ProgramStart program, CancellationToken cancellation = default) =>
        PortableProgram.StartAsync(this, program, cancellation);

    internal override Task<Worker> StartWorkerAsync(string id, IWorkerOwner owner, ProcessOptions options, CancellationToken cancellation) =>
        Task.Run<Worker>(() => StreamWorker.Start(id, owner, options), cancellation);

    internal override Task<Process<TResult>> StartAsync<TResult>(Job<TResult> job, ProcessOptions? options, CancellationToken cancellation)
    {
        job.RequireFunction();
        return StartAsync(new OsProcess<TResult>(this, job, (options ?? new()).Checked()), cancellation);
    }

    static async Task<Process<TResult>> StartAsync<TResult>(OsProcess<TResult> process, CancellationToken cancellation)
    {
        await process.StartAsync(cancellation).ConfigureAwait(false);
        return process;
    }
}
