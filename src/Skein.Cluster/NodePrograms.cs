using System.Collections.Concurrent;

namespace Skein;

/// <summary>Whole programs that a node runs for whoever asked it to, each an operating-system process of its own. They cannot move, and end with the node.</summary>
sealed class NodePrograms(ServeLog log)
{
    readonly ConcurrentDictionary<string, NodeProgram> _running = new();

    public IEnumerable<KeyValuePair<string, NodeProgram>> Running => _running;

    public NodeProgram? Find(string id) => _running.GetValueOrDefault(id);

    /// <summary>Starts it. A detached one is left to itself when its id was said; else what it prints and its end are said, and it ends with who asks.</summary>
    public async Task RunAsync(ControlRequest request, string folder, bool isDetached, string name, string[] command)
    {
        var sayings = new SayingQueue(request, isDetached);
        Process<int> process;
        var lines = new ProgramLines();
        try
        {
            process = await Place.OsProcess.StartProgramAsync(new(command[0], command[1..])
            {
                StandardOutput = ProgramOutput.To(bytes => Print("out", bytes)),
                StandardError = ProgramOutput.To(bytes => Print("err", bytes)),
                Options = new() { WorkingDirectory = folder },
            }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is PlaceException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ServeException(e.Message, e);
        }
        lines.Begin(log, process.Id);
        var program = new NodeProgram(name, process);
        _running[process.Id] = program;
        var end = EndOfAsync(program, lines);
        await request.DataAsync(json => json.WriteString("id", process.Id)).ConfigureAwait(false);
        if (isDetached)
            return;
        using var left = request.Gone.UnsafeRegister(_ => _ = process.StopAsync(), null);
        sayings.Begin();
        var exit = await end.ConfigureAwait(false);
        await sayings.EndAsync().ConfigureAwait(false);
        await request.DataAsync(json => json.WriteNumber("exit", exit.ShellCode)).ConfigureAwait(false);

        void Print(string stream, ReadOnlySpan<byte> bytes)
        {
            lines.Add(bytes, stream == "err");
            sayings.Add(stream, bytes.ToArray());
        }
    }

    public Task EndAsync() => Task.WhenAll(_running.Values.Select(static program => program.EndAsync(isAtOnce: false)));

    async Task<Exit> EndOfAsync(NodeProgram program, ProgramLines lines)
    {
        var exit = await program.Process.Exited.ConfigureAwait(false);
        lines.End();
        _running.TryRemove(program.Process.Id, out _);
        log.Add(program.Process.Id, exit.ShellCode == 0 ? LogSeverity.Information : LogSeverity.Warning, $"{program.Name} {(exit.Cause == ExitCause.Returned ? $"has ended with {exit.Code}." : exit.Describe())}");
        return exit;
    }
}

sealed record NodeProgram(string Name, Process<int> Process)
{
    public Task EndAsync(bool isAtOnce)
    {
        if (!isAtOnce)
            return Process.StopAsync();
        Process.Kill();
        return Process.Exited;
    }
}
