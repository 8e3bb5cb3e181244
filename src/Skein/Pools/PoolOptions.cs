using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>How a pool works. The defaults suit short tasks on all processors.</summary>
public sealed record PoolOptions
{
    /// <summary>How many workers there are at most.</summary>
    public int Workers { get; init; } = System.Environment.ProcessorCount;

    /// <summary>How many there are at least; null: always <see cref="Workers"/>. The others come when tasks wait and go after <see cref="IdleTimeout"/>.</summary>
    public int? MinWorkers { get; init; }

    /// <summary>How long a worker beyond <see cref="MinWorkers"/> waits for a task before it goes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many more processes are kept ready to take the place of one that is lost or recycled: with one, a loss costs less than a millisecond.</summary>
    public int Spares { get; init; }

    /// <summary>How many tasks may wait for a worker. Memory is all that more of them cost.</summary>
    public int QueueLimit { get; init; } = 100_000;

    /// <summary>What happens to a task when <see cref="QueueLimit"/> tasks wait already.</summary>
    public QueueFullMode WhenFull { get; init; } = QueueFullMode.Wait;

    /// <summary>
    /// How long a task may run; then it is asked to stop, and after <see cref="Grace"/> its worker is killed: <see cref="TimeoutException"/>. One
    /// that returns a value after all has that result. Null, or <see cref="Timeout.InfiniteTimeSpan"/>: as long as it likes.
    /// </summary>
    public TimeSpan? TaskTimeout { get; init; }

    /// <summary>How long a task that was asked to stop may take before its worker is killed; <see cref="Timeout.InfiniteTimeSpan"/>: as long as it likes.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Bytes; a worker that reaches it is killed, its task runs once more in a fresh one and fails then.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Bytes of resident memory; a worker above it is replaced when its task is done.</summary>
    public long? SoftMemoryLimit { get; init; }

    /// <summary>A worker is replaced after so many tasks, give or take a tenth: not all at once. The new one is ready before the old one goes.</summary>
    public int? RecycleAfter { get; init; }

    /// <summary>How often a task is tried again whose worker was lost: more than 0 only if running a task twice does no harm.</summary>
    public int Retries { get; init; }

    /// <summary>
    /// How often a task is tried again whose worker ran out of memory, at least; 1 by default, since what ran before may have filled the
    /// worker. 0 where a task must never run twice.
    /// </summary>
    public int RetriesAfterMemory { get; init; } = 1;

    /// <summary>
    /// How many workers may fail one after the other, without having completed a task, before the pool waits with the next: 1 s at first,
    /// then twice as long each time, up to a minute, and never exactly so long. A completed task ends that.
    /// </summary>
    public int RestartIntensity { get; init; } = 5;

    /// <summary>Runs in each worker before its first task. A static method or lambda, as a task.</summary>
    public Action? Initializer { get; init; }

    /// <summary>The processors the workers may run on.</summary>
    public IReadOnlyList<int>? Processors { get; init; }

    /// <summary>From -20 to 19.</summary>
    public int? Niceness { get; init; }

    /// <summary>Variables to add to the workers' environment, or to change.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The folder the workers start in; null: this process's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Where lines that workers print go; null: to this process's standard output. Several workers may call it at once.</summary>
    public Action<string>? OnOutput { get; init; }

    /// <summary>Where lines of the workers' standard error go; null: to this process's standard error. Several workers may call it at once.</summary>
    public Action<string>? OnError { get; init; }

    /// <summary>The clock of time-outs and delays.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Is told of losses, restarts and delays.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    internal ProcessOptions Process => new()
    {
        MemoryLimit = MemoryLimit,
        Grace = Grace,
        Processors = Processors,
        Niceness = Niceness,
        Environment = Environment,
        WorkingDirectory = WorkingDirectory,
        OnOutput = OnOutput,
        OnError = OnError,
    };

    internal PoolOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Workers, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MinWorkers ?? 0, nameof(MinWorkers));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MinWorkers ?? 0, Workers, nameof(MinWorkers));
        ArgumentOutOfRangeException.ThrowIfNegative(Spares);
        ArgumentOutOfRangeException.ThrowIfLessThan(QueueLimit, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Retries);
        ArgumentOutOfRangeException.ThrowIfNegative(RetriesAfterMemory);
        ArgumentOutOfRangeException.ThrowIfLessThan(RecycleAfter ?? 1, 1, nameof(RecycleAfter));
        ArgumentOutOfRangeException.ThrowIfNegative(RestartIntensity);
        ArgumentOutOfRangeException.ThrowIfLessThan(SoftMemoryLimit ?? 1, 1, nameof(SoftMemoryLimit));
        ArgumentNullException.ThrowIfNull(TimeProvider);
        ArgumentNullException.ThrowIfNull(Logger);
        return this with
        {
            TaskTimeout = TimeRange.Limit(TaskTimeout, nameof(TaskTimeout)),
            Grace = Process.Checked().Grace,
            IdleTimeout = TimeRange.Pause(IdleTimeout, nameof(IdleTimeout)),
            Logger = new QuietLogger(Logger),
        };
    }
}

/// <summary>What happens to a task when the queue of a pool is full.</summary>
public enum QueueFullMode
{
    /// <summary>Its caller waits for room.</summary>
    Wait,

    /// <summary>It fails at once with <see cref="PoolFullException"/>.</summary>
    Refuse,
}
