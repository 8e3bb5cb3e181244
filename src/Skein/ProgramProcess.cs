using System.Runtime.Versioning;

namespace Skein;

/// <summary>A program in an operating-system process.</summary>
[SupportedOSPlatform("linux")]
sealed class ProgramProcess : RunningProgram
{
    const int Terminate = 15;

    // What has escaped the kill may hold its output open for ever.
    static readonly TimeSpan OutputLimit = TimeSpan.FromSeconds(2);

    readonly CancellationTokenSource _outputOver = new();
    readonly ProgramStreams _streams;
    readonly MemoryLimit? _limit;
    readonly ChildProcess _child;
    bool _wasOutOfMemory;

    ProgramProcess(Place place, string id, ProgramStart program, ProcessOptions options, ProgramStreams streams, MemoryLimit? limit, ChildProcess child)
        : base(place, id, program, options)
    {
        _streams = streams;
        _limit = limit;
        _child = child;
    }

    public override int OsProcessId => _child.Id;

    public override MemoryLimitKind? MemoryLimitKind => _limit?.Kind;

    protected override Task<ExitStatus> Ended => _child.Exited;

    protected override string LastErrors => _streams.LastErrors;

    protected override bool WasOutOfMemory => _wasOutOfMemory;

    /// <summary>Starts the program; returns when it runs.</summary>
    public static Process<int> Start(Place place, ProgramStart program, CancellationToken cancellation)
    {
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
                InheritDescriptors = program.InheritDescriptors,
                Niceness = options.Niceness,
                Processors = options.Processors,
                Cgroup = limit?.Cgroup,
                NewGroup = !program.ShareTerminal,
            });
            var process = new ProgramProcess(place, id, program, options, streams, limit, child);
            var drained = streams.Begin(process.Feed, process.OnStreamFailure, process._outputOver.Token);
            limit?.Watch(child.Id, () => process.Kill(ExitCause.OutOfMemory));
            process.Follow(drained, cancellation);
            return process;
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

    public override void Signal(int signal) => _child.Signal(signal);

    protected override bool TryAskToEnd()
    {
        _child.Signal(Terminate);
        return true;
    }

    protected override bool HasEnded => _child.HasEnded;

    protected override void KillTree() => _child.Kill();

    protected override async Task ReleaseAsync(Task drained)
    {
        _child.Kill();   // what it started has no use without it
        _outputOver.CancelAfter(OutputLimit);
        await drained.ConfigureAwait(false);
        _outputOver.Dispose();
        _child.Dispose();
        _wasOutOfMemory = _limit?.WasExceeded == true;   // after it, its control group is no more
        _limit?.Dispose();
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
