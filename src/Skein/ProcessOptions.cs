namespace Skein;

/// <summary>How a process is started and what it may use. A place that cannot hold it to a limit refuses to start it.</summary>
public sealed record ProcessOptions
{
    /// <summary>What it may use of memory, in bytes; null: no limit of its own. <see cref="Process{TResult}.MemoryLimitKind"/> says how it is held to it.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>How long it may run; then it is stopped as by <see cref="Process{TResult}.StopAsync"/>, with cause <see cref="ExitCause.TimedOut"/>.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>How long a process that was asked to stop may take before it is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The processors it may run on; null: all.</summary>
    public IReadOnlyList<int>? Processors { get; init; }

    /// <summary>From -20 (most favoured; needs a privilege) to 19; null: as this process.</summary>
    public int? Niceness { get; init; }

    /// <summary>The folder it starts in; null: this process's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables to add to this process's environment, or to change.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Where lines of standard output go; null: to this process's standard output.</summary>
    public Action<string>? OnOutput { get; init; }

    /// <summary>Where lines of standard error go; null: to this process's standard error. The last ones are kept in <see cref="Exit.StandardError"/>.</summary>
    public Action<string>? OnError { get; init; }
}
