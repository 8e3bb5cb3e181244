namespace Skein;

/// <summary>A place that this operating system does not have.</summary>
sealed class MissingPlace(string name) : Place
{
    public override string ToString() => name;

    public override Task<Process<int>> StartProgramAsync(ProgramStart program, CancellationToken cancellation = default) => throw Missing();

    internal override Task<Worker> StartWorkerAsync(string id, IWorkerOwner owner, ProcessOptions options, CancellationToken cancellation) => throw Missing();

    internal override Task<Process<TResult>> StartAsync<TResult>(Job<TResult> job, ProcessOptions? options, CancellationToken cancellation) => throw Missing();

    PlaceException Missing() => new($"Place.{name} is not implemented for this operating system yet (docs/limits.md): use Place.Thread, or Linux.");
}
