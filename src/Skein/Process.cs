namespace Skein;

/// <summary>
/// A C# function in execution, or a program: the handle on it, wherever it runs.
/// <code>
/// await using var process = await Place.OsProcess.StartAsync(Primes.Count, 10_000_000);
/// int primes = await process.Completion;
/// </code>
/// </summary>
/// <remarks>Disposing stops it if it still runs: gracefully, and after its grace period by force.</remarks>
public abstract class Process<TResult> : IAsyncDisposable
{
    private protected Process() { }

    /// <summary>Its name: unique on this machine while it runs.</summary>
    public abstract string Id { get; }

    /// <summary>Where it runs.</summary>
    public abstract Place Place { get; }

    /// <summary>Its number at the operating system; for a thread, that of this process.</summary>
    public abstract int OsProcessId { get; }

    /// <summary>What it does at this moment.</summary>
    public abstract ProcessState State { get; }

    /// <summary>How it is held to its memory limit; null when it has none.</summary>
    public abstract MemoryLimitKind? MemoryLimitKind { get; }

    /// <summary>
    /// The result of its function; for a program its exit code. Fails with the exception that the function threw, or with a
    /// <see cref="ProcessLostException"/> when the process ended before it had a result.
    /// </summary>
    public abstract Task<TResult> Completion { get; }

    /// <summary>How it ended. Completes when nothing of it is left; never fails.</summary>
    public abstract Task<Exit> Exited { get; }

    /// <summary>
    /// Asks it to stop (<see cref="Here.Stopping"/> is cancelled there; a program gets SIGTERM) and kills it, with all that it started,
    /// when it has not ended after the grace period. Completes when it has ended.
    /// </summary>
    /// <param name="grace">Null: what its options say.</param>
    public abstract Task StopAsync(TimeSpan? grace = null);

    /// <summary>Ends it at once, with all that it started. A thread cannot be killed: <see cref="PlaceException"/>.</summary>
    public abstract void Kill();

    /// <summary>Sends it a signal, by its number on this system. One that has ended needs none. A thread cannot get one: <see cref="PlaceException"/>.</summary>
    public abstract void Signal(int signal);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
