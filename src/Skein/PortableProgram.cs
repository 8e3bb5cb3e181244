using System.ComponentModel;
using System.Diagnostics;

namespace Skein;

/// <summary>A program in an operating-system process, by what .NET has for every operating system.</summary>
sealed class PortableProgram : RunningProgram
{
    const int NoSuchFile = 2, NoSuchPath = 3, AccessDenied = 5, NoPermission = 13, NoProgram = 193, NoProgramFormat = 8;

    readonly PortableChild _child;
    LineSink? _errors;

    PortableProgram(Place place, ProgramStart program, ProcessOptions options, PortableChild child) : base(place, ProcessIds.Next(), program, options) =>
        _child = child;

    public override int OsProcessId => _child.Id;

    public override MemoryLimitKind? MemoryLimitKind => Options.MemoryLimit is null ? null : Skein.MemoryLimitKind.HeapLimitAndWatch;

    protected override Task<ExitStatus> Ended => _child.Exited;

    protected override string LastErrors => _errors?.LastLines ?? "";

    /// <summary>Starts the program; returns when it runs.</summary>
    public static async Task<Process<int>> StartAsync(Place place, ProgramStart program, CancellationToken cancellation)
    {
        var options = program.CheckedOptions();
        var start = Describe(program);
        try
        {
            // Apart from the caller's thread: .NET holds a lock of the whole process while it starts another one.
            var child = await Task.Run(() => PortableChild.Start(start, options), cancellation).ConfigureAwait(false);
            var process = new PortableProgram(place, program, options, child);
            process.Begin(cancellation);
            return process;
        }
        catch (Win32Exception error)
        {
            throw Refusal(program, error);
        }
    }

    public override void Signal(int signal) => _child.Signal(signal);

    protected override bool TryAskToEnd()
    {
        if (OperatingSystem.IsWindows())
            return false;
        _child.Signal(ProcessFamily.SigTerm);
        return true;
    }

    protected override bool HasEnded => _child.Exited.IsCompleted;

    protected override void KillTree() => _child.Kill();

    protected override async Task ReleaseAsync(Task drained)
    {
        await drained.ConfigureAwait(false);
        _child.Dispose();
    }

    static ProcessStartInfo Describe(ProgramStart program)
    {
        var folder = program.Options.WorkingDirectory;
        // A name with a folder is relative to where the program starts; .NET would take it relative to where we are.
        var file = Path.GetFileName(program.Program) == program.Program ? program.Program : Path.GetFullPath(program.Program, Path.GetFullPath(folder ?? "."));
        var start = new ProcessStartInfo(file, program.Arguments)
        {
            RedirectStandardInput = !program.InheritInput,
            RedirectStandardOutput = program.StandardOutput is not InheritedOutput || program.Options.OnOutput is not null,
            RedirectStandardError = program.StandardError is not InheritedOutput || program.Options.OnError is not null,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in program.Options.Environment)
            start.Environment[name] = value;
        return start;
    }

    static Exception Refusal(ProgramStart program, Win32Exception error) => error.NativeErrorCode switch
    {
        NoSuchFile or NoSuchPath => new FileNotFoundException($"There is no program '{program.Program}'.", program.Program, error),
        AccessDenied or NoPermission or NoProgram or NoProgramFormat => new UnauthorizedAccessException($"The file '{program.Program}' cannot be executed.", error),
        _ => new PlaceException($"{program.Program} could not be started: {error.Message}", error),
    };

    void Begin(CancellationToken cancellation)
    {
        if (!Program.InheritInput)
            Feed(_child.Input);
        List<Task> drained = [];
        var (onOutput, onError) = (Program.Options.OnOutput, Program.Options.OnError);
        if (Program.StandardOutput is not InheritedOutput || onOutput is not null)
            drained.Add(ReadAsync(_child.Output, Program.StandardOutput, onOutput is null ? null : new(onOutput)));
        if (Program.StandardError is not InheritedOutput || onError is not null)
        {
            _errors = new(onError ?? (static _ => { }));   // what goes through our hands is kept, as far as its last lines
            drained.Add(ReadAsync(_child.Errors, Program.StandardError, _errors));
        }

        if (Options.MemoryLimit is { } limit)
            _child.WatchMemory(limit, () => Kill(ExitCause.OutOfMemory));
        Follow(Task.WhenAll(drained), cancellation);
    }

    async Task ReadAsync(Stream stream, ProgramOutput output, LineSink? lines)
    {
        try
        {
            var sink = output is ForwardedOutput forwarded ? forwarded.Sink : static _ => { };
            await _child.ForwardAsync(stream, lines is null ? sink : sink + lines.Write).ConfigureAwait(false);
            lines?.Complete();
        }
        catch (Exception error)
        {
            OnStreamFailure(error);
        }
    }
}
