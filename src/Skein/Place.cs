namespace Skein;

/// <summary>
/// Where a process runs: the one word that chooses.
/// <code>
/// await using var process = await Place.OsProcess.StartAsync(Primes.Count, 10_000_000);
/// int primes = await process.Completion;
/// </code>
/// A function is a static method, a static lambda, or a lambda whose captured variables can travel. Every place but
/// <see cref="Thread"/> copies its arguments and its result, and can kill it.
/// </summary>
public abstract partial class Place
{
    private protected Place() { }

    /// <summary>
    /// A thread of this process. Arguments pass by reference, a crash takes everything, and a function can only be <em>asked</em> to stop.
    /// </summary>
    public static Place Thread { get; } = new ThreadPlace();

    /// <summary>An operating-system process of its own: its crash, its leak and its end are its own, and it can be killed.</summary>
    public static Place OsProcess { get; } = OperatingSystem.IsLinux() ? new OsProcessPlace() : new PortableProcessPlace();

    /// <summary>The word: <c>Thread</c>, <c>OsProcess</c>.</summary>
    public abstract override string ToString();

    /// <summary>Starts a program: any executable file, with arguments, streams and limits.</summary>
    /// <exception cref="PlaceException">It cannot be started; the message names the program and the reason.</exception>
    /// <exception cref="FileNotFoundException">There is no such program; for a shell this is exit code 127.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be executed; for a shell this is exit code 126.</exception>
    public abstract Task<Process<int>> StartProgramAsync(ProgramStart program, CancellationToken cancellation = default);

    /// <summary>Starts a worker for a pool; returns before it is ready.</summary>
    internal abstract Task<Worker> StartWorkerAsync(string id, IWorkerOwner owner, ProcessOptions options, CancellationToken cancellation);

    /// <summary>Starts a function with its arguments. All the public shapes come here.</summary>
    internal abstract Task<Process<TResult>> StartAsync<TResult>(Job<TResult> job, ProcessOptions? options, CancellationToken cancellation);
}
