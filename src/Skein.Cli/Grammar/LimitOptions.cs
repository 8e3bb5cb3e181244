using System.CommandLine;

namespace Skein.Cli;

/// <summary>Where to run, and within which limits: the options that <c>run</c> and <c>map</c> share.</summary>
sealed class LimitOptions
{
    readonly Option<string?> _place = Options.OneOf("--place", "Where it runs: in operating-system processes (default) or threads (C# only).", "process", "thread");
    readonly Option<long?> _memory = Options.Size("--memory", "Kill what uses more memory (exit code 137); at least 16M.");
    readonly Option<TimeSpan?> _timeout = Options.Time("--timeout", "Stop what takes longer (exit code 124).");
    readonly Option<TimeSpan?> _grace = Options.Time("--grace", "From SIGTERM to SIGKILL when something is stopped (default 2s).", orZero: true);

    public Option<bool> Json { get; }

    public LimitOptions(Command command, string json)
    {
        Json = Options.Flag("--json", json);
        command.Options.Add(_place);
        command.Options.Add(_memory);
        command.Options.Add(_timeout);
        command.Options.Add(_grace);
        command.Options.Add(Json);
    }

    /// <summary>The name of the first of these options that was given.</summary>
    public string? FirstGiven(ParseResult words) =>
        ((Option[])[_place, _memory, _timeout, _grace, Json]).FirstOrDefault(option => words.GetResult(option) is { Implicit: false })?.Name;

    public RunLimits Read(ParseResult words, bool isProgram)
    {
        var limits = new RunLimits(
            words.GetValue(_place) == "thread",
            words.GetValue(_memory),
            words.GetValue(_timeout),
            words.GetValue(_grace) ?? TimeSpan.FromSeconds(2));
        if (limits.Memory < 16 << 20)
            throw CommandFailure.Usage("--memory takes at least 16M: no runtime starts with less.");
        if (limits.InThread && isProgram)
            throw CommandFailure.Usage("--place thread takes C# (FILE.cs or APP.dll); a program is always a process of its own.");
        if (limits.InThread && limits.Memory is not null)
            throw CommandFailure.Usage("--memory takes effect in processes only: the threads of one process share its memory. Use --place process.");
        return limits;
    }
}

/// <summary>What <see cref="LimitOptions"/> say.</summary>
/// <param name="InThread">In threads of one process, not in processes of their own.</param>
/// <param name="Memory">In bytes.</param>
sealed record RunLimits(bool InThread, long? Memory, TimeSpan? Timeout, TimeSpan Grace);
