using System.Runtime.Versioning;

namespace Skein;

/// <summary>A program in an operating-system process.</summary>
[SupportedOSPlatform("linux")]
sealed class ProgramProcess : Process<int>
{
    const int Terminate = 15;

    readonly ProgramStart _program;
    readonly ProcessOptions _options;
    readonly ProgramStreams _streams;
    readonly MemoryLimit? _limit;
    readonly TaskCompletionSource<int> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Exit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _gate = new();
    readonly ChildProcess _child;
    Timer? _timeLimit;
    CancellationTokenRegistration _cancellation;
    ProcessState _state = ProcessState.Running;
    int _intent = -1;
    Exception? _streamFailure;

    ProgramProcess(Place place, string id, ProgramStart program, ProcessOptions options, ProgramStreams streams, MemoryLimit? limit, ChildProcess child)
    {
        _options = options;
        _streams = streams;
        Place = place;
        Id = id;
        _program = program;
        _limit = limit;
        _child = child;
    }

    public override string Id { get; }

    public override Place Place { get; }

    public override int OsProcessId => _child.Id;

    public override ProcessState State => _state;

    public override MemoryLimitKind? MemoryLimitKind => _limit?.Kind;

    public override Task<int> Completion => _completion.Task;

    public override Task<Exit> Exited => _exited.Task;

    /// <summary>Starts the program; returns when it runs.</summary>
    public static Task<Process<int>> StartAsync(Place place, ProgramStart program, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var id = ProcessIds.Next();
        var options = program.CheckedOptions();
        var path = ProgramPath.Find(program.Program, options.WorkingDirectory);
        var limit = Skein.MemoryLimit.For(options.MemoryLimit);
        var streams = new ProgramStreams();
        try
        {
            var input = streams.Input(program);
            var output = streams.Output(program);
            var errors = streams.Errors(program);
            var child = Spawner.Start(new(path, program.Arguments)
            {
                Name = program.Program,
                Environment = options.Environment.Count == 0 ? null : Merge(options.Environment),
                WorkingDirectory = options.WorkingDirectory,
                Descriptors = [(input, 0), (output, 1), (errors, 2)],
                Niceness = options.Niceness,
                Processors = options.Processors,
                Cgroup = limit?.Cgroup,
                NewGroup = !program.ShareTerminal,
            });
            var process = new ProgramProcess(place, id, program, options, streams, limit, child);
            process.Follow(cancellation);
            return Task.FromResult<Process<int>>(process);
        }
        catch (Exception error)
        {
            streams.Abandon();
            limit?.Dispose();
            if (error is LinuxException)
                throw new PlaceException($"{program.Program} could not be started: {error.Message}", error);
            throw;
        }
    }

    public override Task StopAsync(TimeSpan? grace = null) => StopAsync(grace is { } given ? TimeRange.Pause(given, nameof(grace)) : _options.Grace, ExitCause.Killed);

    public override void Kill() => Kill(ExitCause.Killed);

    public override void Signal(int signal) => _child.Signal(signal);

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
            if (cause == ExitCause.TimedOut)
                Interlocked.CompareExchange(ref _intent, (int)cause, -1);
            _child.Signal(Terminate);
            try
            {
                await _child.Exited.WaitAsync(grace).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Kill(cause);
            }
        }

        await _exited.Task.ConfigureAwait(false);
    }

    void Follow(CancellationToken cancellation)
    {
        var drained = _streams.Begin(_program, error =>
        {
            Interlocked.CompareExchange(ref _streamFailure, error, null);
            Kill(ExitCause.Killed);
        });
        _limit?.Watch(_child.Id, () => Kill(ExitCause.OutOfMemory));
        if (_options.TimeLimit is { } time)
            _timeLimit = new(_ => _ = StopAsync(_options.Grace, ExitCause.TimedOut), null, time, Timeout.InfiniteTimeSpan);
        _cancellation = cancellation.UnsafeRegister(_ => _ = StopAsync(), null);
        _ = FinishAsync(drained);
    }

    async Task FinishAsync(Task drained)
    {
        var status = await _child.Exited.ConfigureAwait(false);
        Change(ProcessEvent.Ended);
        if (_timeLimit is { } timer)
            await timer.DisposeAsync().ConfigureAwait(false);
        await _cancellation.DisposeAsync().ConfigureAwait(false);
        _child.Kill();   // what it started has no use without it
        await drained.ConfigureAwait(false);
        _child.Dispose();
        var cause = status.Signal == 0 ? ExitCause.Returned : ExitCause.Signalled;
        if (_intent >= 0)
            cause = (ExitCause)_intent;
        else if (_limit?.WasExceeded == true)
            cause = ExitCause.OutOfMemory;
        _limit?.Dispose();
        var exit = new Exit(cause, status.Code, status.Signal, status.Use, _streams.LastErrors);
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

    static List<KeyValuePair<string, string>> Merge(IReadOnlyDictionary<string, string> changes)
    {
        var variables = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        foreach (var (name, value) in changes)
            variables[name] = value;
        return [.. variables];
    }
}
