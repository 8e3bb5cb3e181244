using System.ComponentModel;
using System.Diagnostics;

namespace Skein;

/// <summary>A program in an operating-system process, by what .NET has for every operating system.</summary>
sealed class PortableProgram : Process<int>
{
    const int NoSuchFile = 2, NoSuchPath = 3, AccessDenied = 5, NoPermission = 13, NoProgram = 193, NoProgramFormat = 8;

    readonly ProgramStart _program;
    readonly ProcessOptions _options;
    readonly PortableChild _child;
    readonly TaskCompletionSource<int> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _gate = new();
    LineSink? _errors;
    Timer? _timeLimit;
    CancellationTokenRegistration _cancellation;
    ProcessState _state = ProcessState.Running;
    int _intent = -1;
    Exception? _streamFailure;

    PortableProgram(Place place, ProgramStart program, ProcessOptions options, PortableChild child)
    {
        Place = place;
        _program = program;
        _options = options;
        _child = child;
    }

    public override string Id { get; } = ProcessIds.Next();

    public override Place Place { get; }

    public override int OsProcessId => _child.Id;

    public override ProcessState State => _state;

    public override MemoryLimitKind? MemoryLimitKind => _options.MemoryLimit is null ? null : Skein.MemoryLimitKind.HeapLimitAndWatch;

    public override Task<int> Completion => _completion.Task;

    public override Task<Exit> Exited => _exited.Task;

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
            process.Follow(cancellation);
            return process;
        }
        catch (Win32Exception error)
        {
            throw Refusal(program, error);
        }
    }

    public override Task StopAsync(TimeSpan? grace = null) => StopAsync(grace is { } given ? TimeRange.Pause(given, nameof(grace)) : _options.Grace, ExitCause.Killed);

    public override void Kill() => Kill(ExitCause.Killed);

    public override void Signal(int signal) => _child.Signal(signal);

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

    void Kill(ExitCause cause)
    {
        Interlocked.CompareExchange(ref _intent, (int)cause, -1);
        _child.Kill();
    }

    async Task StopAsync(TimeSpan grace, ExitCause cause)
    {
        if (!_exited.Task.IsCompleted)
        {
            Change(ProcessEvent.AskedToStop);
            if (OperatingSystem.IsWindows())
            {
                Kill(cause);   // there is no way to ask any program
            }
            else
            {
                if (cause == ExitCause.TimedOut)
                    Interlocked.CompareExchange(ref _intent, (int)cause, -1);
                _child.Signal(ProcessFamily.SigTerm);
                if (await Task.WhenAny(_child.Exited, Task.Delay(grace)).ConfigureAwait(false) != _child.Exited)
                    Kill(cause);
            }
        }

        await _exited.Task.ConfigureAwait(false);
    }

    void Follow(CancellationToken cancellation)
    {
        if (!_program.InheritInput)
            _ = FeedAsync(_program.StandardInput, _child.Input);
        List<Task> drained = [];
        var (onOutput, onError) = (_program.Options.OnOutput, _program.Options.OnError);
        if (_program.StandardOutput is not InheritedOutput || onOutput is not null)
            drained.Add(ReadAsync(_child.Output, _program.StandardOutput, onOutput is null ? null : new(onOutput)));
        if (_program.StandardError is not InheritedOutput || onError is not null)
        {
            _errors = new(onError ?? (static _ => { }));   // what goes through our hands is kept, as far as its last lines
            drained.Add(ReadAsync(_child.Errors, _program.StandardError, _errors));
        }

        if (_options.MemoryLimit is { } limit)
            _child.WatchMemory(limit, () => Kill(ExitCause.OutOfMemory));
        if (_options.TimeLimit is { } time)
            _timeLimit = new(_ => _ = StopAsync(_options.Grace, ExitCause.TimedOut), null, time, Timeout.InfiniteTimeSpan);
        _cancellation = cancellation.UnsafeRegister(_ => _ = StopAsync(), null);
        _ = FinishAsync(Task.WhenAll(drained));
    }

    // A program need not read its input to the end: a broken pipe is its right.
    async Task FeedAsync(Stream? source, Stream input)
    {
        using (input)
        {
            var buffer = new byte[64 * 1024];
            while (source is not null)
            {
                int length;
                try
                {
                    length = await source.ReadAsync(buffer).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    OnStreamFailure(error);
                    return;
                }

                if (length == 0)
                    return;
                try
                {
                    await input.WriteAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
                }
                catch (Exception error) when (error is IOException or ObjectDisposedException)
                {
                    return;   // as said
                }
            }
        }
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

    void OnStreamFailure(Exception error)
    {
        Interlocked.CompareExchange(ref _streamFailure, error, null);
        Kill(ExitCause.Killed);
    }

    async Task FinishAsync(Task drained)
    {
        var status = await _child.Exited.ConfigureAwait(false);
        Change(ProcessEvent.Ended);
        if (_timeLimit is { } timer)
            await timer.DisposeAsync().ConfigureAwait(false);
        await _cancellation.DisposeAsync().ConfigureAwait(false);
        await drained.ConfigureAwait(false);
        _child.Dispose();
        var cause = _intent >= 0 ? (ExitCause)_intent : status.Signal == 0 ? ExitCause.Returned : ExitCause.Signalled;
        var exit = new Exit(cause, status.Code, status.Signal, status.Use, _errors?.LastLines ?? "");
        if (_streamFailure is { } failure)
            _completion.TrySetException(new IOException($"A stream that {_program.Program} was given has failed, so it was killed: {failure.Message}", failure));
        else if (cause is ExitCause.Returned)
            _completion.TrySetResult(status.Code);
        else
            _completion.TrySetException(exit.ToException(Id));
        _ = _completion.Task.Exception;   // observed: who only awaits Exited must not see it again on the finalizer's thread
        _exited.TrySetResult(exit);
    }

    void Change(ProcessEvent happened)
    {
        lock (_gate)
            _state = _state.Next(happened);
    }
}
