namespace Skein.Cli;

/// <summary>Carries out <c>skein map</c>.</summary>
static class MapCommand
{
    public static async Task<int> RunAsync(MapRequest request)
    {
        if (request.File is null)
        {
            var runner = new ProgramRunner(new CommandTemplate(request.Program), request.Limits);
            return request.DryRun ? await PrintAsync(request, runner.Describe).ConfigureAwait(false) : await RunAsync(request, runner).ConfigureAwait(false);
        }

        if (request.DryRun)
            return await PrintAsync(request, job => FunctionRunner.Describe(request.Function!, job)).ConfigureAwait(false);
        if (!ApplicationHook.IsInside)
            throw ApplicationHook.Enter(await Application.DllOfAsync(request.File, Messages.Note, CancellationToken.None).ConfigureAwait(false));
        var functions = await FunctionRunner.StartAsync(request).ConfigureAwait(false);
        await using (functions.ConfigureAwait(false))
            return await RunAsync(request, functions).ConfigureAwait(false);
    }

    static async Task<int> RunAsync(MapRequest request, JobRunner runner)
    {
        using var log = request.JobLog is not { } path ? null : request.Resume ? JobLog.Resume(path) : JobLog.Create(path);
        var inputs = InputsOf(request);
        var progress = new MapProgress(request.Jobs, inputs.Count, runner);
        var writer = WriterFor(request);
        using var run = new MapRun(request, inputs, runner, new(writer, log, ordered: !request.Unordered), log, progress);
        using var interruption = new Interruption(() => run.Halt(now: true), run.Kill);
        try
        {
            int code;
            using (MapDisplay.Start(progress, request))
                code = await run.RunAsync().ConfigureAwait(false);
            if (progress.Failed > 1 || interruption.ExitCode is not null)
                Messages.Note(PlainDisplay.Line(progress, atEnd: true));
            (writer as JsonWriter)?.WriteSummary(progress, interruption.ExitCode ?? code);
            return interruption.ExitCode ?? code;
        }
        catch (CommandFailure failure) when (interruption.ExitCode is { } interrupted)
        {
            Messages.Error(failure.Message);
            return interrupted;
        }
    }

    static Inputs InputsOf(MapRequest request)
    {
        if (request.Inputs is { } given)
            return Inputs.Of(given);
        if (Native.IsTerminal(0) == 1)
            Messages.Note("reading inputs from the terminal, one a line; Ctrl-D ends them. To give them on the command line put ::: before them.");
        return request.Eta ? Inputs.Of([.. Inputs.Lines()]) : Inputs.OfStandardInput();
    }

    static JobWriter WriterFor(MapRequest request) =>
        request.Json ? new JsonWriter() : request.Tag ? new TaggedOutputWriter() : new OutputWriter();

    static async Task<int> PrintAsync(MapRequest request, Func<Job, string> describe)
    {
        using var log = request is { JobLog: { } path, Resume: true } && File.Exists(path) ? JobLog.Look(path) : null;
        var inputs = InputsOf(request);
        while (await inputs.NextAsync(CancellationToken.None).ConfigureAwait(false) is { } job)
        {
            var command = describe(job);
            if (log?.Skips(command) != true)
                StandardStream.Output.Write(command + "\n");
        }

        return 0;
    }
}
