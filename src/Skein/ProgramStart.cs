namespace Skein;

/// <summary>
/// A program to start: any executable file.
/// <code>
/// await using var process = await Place.OsProcess.StartProgramAsync(new("sort", "-u") { StandardInput = words, StandardOutput = ProgramOutput.To(sorted) });
/// int code = await process.Completion;
/// </code>
/// </summary>
/// <param name="program">A path, or a name to look for in the folders of <c>PATH</c>.</param>
/// <param name="arguments">As the program gets them: no shell takes them apart.</param>
public sealed class ProgramStart(string program, params IReadOnlyList<string> arguments)
{
    /// <summary>A path, or a name to look for in the folders of <c>PATH</c>.</summary>
    public string Program { get; } = program ?? throw new ArgumentNullException(nameof(program));

    /// <summary>The arguments after the program's own name.</summary>
    public IReadOnlyList<string> Arguments { get; } = arguments?.Contains(null!) == false ? arguments : throw new ArgumentNullException(nameof(arguments), "There is no list of arguments, or one of them is null.");

    /// <summary>What it reads; null: nothing (its standard input is empty). <see cref="InheritInput"/> gives it this process's.</summary>
    public Stream? StandardInput { get; init; }

    /// <summary>Whether it reads this process's own standard input.</summary>
    public bool InheritInput { get; init; }

    /// <summary>
    /// Whether it finds open what this process was given itself beside its standard streams (a shell's <c>&lt;(…)</c> or <c>3&lt;file</c>), and
    /// whatever else is not closed by an execve. Otherwise it has its standard streams alone.
    /// </summary>
    public bool InheritDescriptors { get; init; }

    /// <summary>Where what it prints goes.</summary>
    public ProgramOutput StandardOutput { get; init; } = ProgramOutput.Inherit;

    /// <summary>Where its messages go.</summary>
    public ProgramOutput StandardError { get; init; } = ProgramOutput.Inherit;

    /// <summary>
    /// Whether it stays in this process's group, as a shell's foreground job: the terminal's Ctrl-C then reaches it directly, and it may
    /// read the terminal. Otherwise it has a group of its own.
    /// </summary>
    public bool ShareTerminal { get; init; }

    /// <summary>
    /// Limits, folder, environment. Either <see cref="ProcessOptions.OnOutput"/> takes the lines of standard output, or
    /// <see cref="StandardOutput"/> its bytes; so it is with standard error.
    /// </summary>
    public ProcessOptions Options { get; init; } = new();

    /// <summary>Its options, if all that is said here makes sense.</summary>
    internal ProcessOptions CheckedOptions()
    {
        if (StandardInput is not null && InheritInput)
            throw new ArgumentException("A program reads either a stream or this process's standard input.", nameof(InheritInput));
        if (Options.OnOutput is not null && StandardOutput != ProgramOutput.Inherit)
            throw new ArgumentException("Standard output goes either to StandardOutput or, line by line, to OnOutput.", nameof(ProcessOptions.OnOutput));
        if (Options.OnError is not null && StandardError != ProgramOutput.Inherit)
            throw new ArgumentException("Standard error goes either to StandardError or, line by line, to OnError.", nameof(ProcessOptions.OnError));
        return Options.Checked(isProgram: true);
    }
}

/// <summary>Where a program's output goes.</summary>
public abstract class ProgramOutput
{
    private protected ProgramOutput() { }

    /// <summary>To where this process's own goes.</summary>
    public static ProgramOutput Inherit { get; } = new InheritedOutput();

    /// <summary>Nowhere.</summary>
    public static ProgramOutput Discard { get; } = new DiscardedOutput();

    /// <summary>Into a stream, as it comes. The stream stays open.</summary>
    public static ProgramOutput To(Stream stream) => new ForwardedOutput(stream.Write, stream);

    /// <summary>To a function, as it comes: pieces in order, one call at a time, also where this is the place of both outputs. While it runs the program may have to wait.</summary>
    public static ProgramOutput To(Action<ReadOnlySpan<byte>> sink) => new ForwardedOutput(sink, sink);
}

sealed class InheritedOutput : ProgramOutput;

sealed class DiscardedOutput : ProgramOutput;

sealed class ForwardedOutput(Action<ReadOnlySpan<byte>> sink, object gate) : ProgramOutput
{
    // Both outputs of a program may go to one place.
    public Action<ReadOnlySpan<byte>> Sink { get; } = piece =>
    {
        lock (gate)
            sink(piece);
    };
}
