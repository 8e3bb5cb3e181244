namespace Skein;

/// <summary>How a process is started and what it may use. A place that cannot hold it to a limit refuses to start it.</summary>
public sealed record ProcessOptions
{
    /// <summary>What it may use of memory, in bytes; null: no limit of its own. <see cref="Process{TResult}.MemoryLimitKind"/> says how it is held to it.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// How long it may run; then it is stopped as by <see cref="Process{TResult}.StopAsync"/>, with cause <see cref="ExitCause.TimedOut"/>. A
    /// function that returns a value within the grace period has that result. Null, or <see cref="Timeout.InfiniteTimeSpan"/>: as long as it likes.
    /// </summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>How long a process that was asked to stop may take before it is killed; <see cref="Timeout.InfiniteTimeSpan"/>: as long as it likes.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The processors it may run on; null: all.</summary>
    public IReadOnlyList<int>? Processors { get; init; }

    /// <summary>From -20 (most favoured; needs a privilege) to 19; null: as this process.</summary>
    public int? Niceness { get; init; }

    /// <summary>The folder it starts in; null: this process's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables to add to this process's environment, or to change.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Where lines of standard output go; null: to this process's standard output. What the handler throws fails the process's function; a
    /// program is killed for it.
    /// </summary>
    public Action<string>? OnOutput { get; init; }

    /// <summary>
    /// Where lines of standard error go; null: to this process's standard error. The last ones are kept in <see cref="Exit.StandardError"/>; not
    /// of a program that writes to this process's standard error itself, which it does without a handler.
    /// </summary>
    public Action<string>? OnError { get; init; }

    const long LeastMemory = 16 << 20;   // below it the runtime itself does not start

    /// <summary>These options, if they make sense; infinite times in the form in which the rest of the code expects them.</summary>
    /// <param name="isProgram">No runtime of ours has to fit into its memory.</param>
    /// <exception cref="ArgumentException">They do not; the parameter is the option's name.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such <see cref="WorkingDirectory"/>.</exception>
    internal ProcessOptions Checked(bool isProgram = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MemoryLimit ?? long.MaxValue, isProgram ? 1 : LeastMemory, nameof(MemoryLimit));
        ArgumentOutOfRangeException.ThrowIfLessThan(Niceness ?? 0, -20, nameof(Niceness));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Niceness ?? 0, 19, nameof(Niceness));
        CheckProcessors();
        CheckEnvironment();
        if (WorkingDirectory is { } folder)
        {
            ArgumentException.ThrowIfNullOrEmpty(folder, nameof(WorkingDirectory));
            if (!Directory.Exists(folder))
                throw new DirectoryNotFoundException($"There is no folder '{folder}' to start in (WorkingDirectory).");
        }

        return this with { TimeLimit = TimeRange.Limit(TimeLimit, nameof(TimeLimit)), Grace = TimeRange.Pause(Grace, nameof(Grace)) };
    }

    void CheckProcessors()
    {
        if (Processors is null)
            return;
        if (Processors.Count == 0)
            throw new ArgumentException("No processor is named: nothing could run.", nameof(Processors));
        foreach (var number in Processors)
        {
            if (number < 0 || (OperatingSystem.IsLinux() && !Cpu.Exists(number)))
                throw new ArgumentOutOfRangeException(nameof(Processors), number, "This machine has no processor of that number.");
        }
    }

    void CheckEnvironment()
    {
        ArgumentNullException.ThrowIfNull(Environment);
        foreach (var (name, value) in Environment)
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0'))
                throw new ArgumentException($"'{name.Replace("\0", "\\0", StringComparison.Ordinal)}' cannot be the name of a variable: it is empty, or has a '=' or a NUL character.", nameof(Environment));
            if (value?.Contains('\0') != false)
                throw new ArgumentException($"The value of the variable '{name}' is null or has a NUL character.", nameof(Environment));
        }
    }
}
