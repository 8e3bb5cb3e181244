using System.Runtime.Versioning;

namespace Skein;

/// <summary>A process is an operating-system process: a worker that gets one call, or a program.</summary>
[SupportedOSPlatform("linux")]
sealed class OsProcessPlace : Place
{
    public override string ToString() => nameof(OsProcess);

    public override Task<Process<int>> StartProgramAsync(ProgramStart program, CancellationToken cancellation = default)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<Process<int>>(cancellation);
        try
        {
            return Task.FromResult(ProgramProcess.Start(this, program, cancellation));
        }
        catch (Exception error) when (error is not ArgumentException)
        {
            return Task.FromException<Process<int>>(error);
        }
    }

    internal override Task<Worker> StartWorkerAsync(string id, IWorkerOwner owner, ProcessOptions options, CancellationToken cancellation) =>
        Task.Run<Worker>(() => OsProcessWorker.Start(id, owner, options), cancellation);

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
