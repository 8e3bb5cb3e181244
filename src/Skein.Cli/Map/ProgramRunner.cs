namespace Skein.Cli;

/// <summary>Runs a program for each input.</summary>
sealed class ProgramRunner(CommandTemplate template, RunLimits limits) : JobRunner
{
    readonly HashSet<Process<int>> _running = [];
    readonly ProcessOptions _options = new() { MemoryLimit = limits.Memory, TimeLimit = limits.Timeout, Grace = limits.Grace };
    bool _killed;

    public override string Describe(Job job) => ShellText.Join(template.Fill(job));

    public override async Task<JobEnd> RunAsync(Job job, JobOutput output, CancellationToken stop)
    {
        var words = template.Fill(job);
        using var sink = new JobSink(output, stop);
        try
        {
            var start = new ProgramStart(words[0], words[1..])
            {
                InheritDescriptors = true,
                StandardOutput = ProgramOutput.To(sink.Output),
                StandardError = ProgramOutput.To(sink.Error),
                Options = _options,
            };
            var process = await Place.OsProcess.StartProgramAsync(start, sink.Stop).ConfigureAwait(false);
            Add(process);
            var exit = await process.Exited.ConfigureAwait(false);
            Remove(process);
            sink.ThrowIfFailed();
            return ProgramEnd.Of(exit, stop.IsCancellationRequested);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new(JobCause.Stopped, ExitCode.OfSignal(15));
        }
        catch (Exception error) when (ProgramEnd.OfStart(error) is { } end)
        {
            return end;
        }
    }

    public override void Kill()
    {
        lock (_running)
        {
            _killed = true;
            foreach (var process in _running)
                process.Kill();
        }
    }

    void Add(Process<int> process)
    {
        lock (_running)
        {
            _running.Add(process);
            if (_killed)
                process.Kill();
        }
    }

    void Remove(Process<int> process)
    {
        lock (_running)
            _running.Remove(process);
    }
}
