using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>Carries out <c>skein run</c>: stays the parent of what it runs, holds it to its limits, and ends as it ends.</summary>
static class RunCommand
{
    // Ctrl-C, and a reader that has gone: whoever did that knows it. A shell says nothing then either.
    const int Interrupt = 2, BrokenPipe = 13;

    public static async Task<int> RunAsync(RunRequest request)
    {
        if (request.File is { } file)
        {
            var dll = await Application.DllOfAsync(file, Messages.Note, CancellationToken.None).ConfigureAwait(false);
            if (request.Limits.InThread)
                return ApplicationHook.IsInside ? await MainThread.RunAsync(request).ConfigureAwait(false) : throw ApplicationHook.Enter(dll);
            request = request with { Program = [DotnetHost.Path, dll, .. request.Program] };
        }

        var started = TimeProvider.System.GetTimestamp();
        var (end, limit) = await RunProgramAsync(request).ConfigureAwait(false);
        if (request.Json)
            Write(request, end, limit, TimeProvider.System.GetElapsedTime(started));
        else if (end is not ({ Cause: JobCause.Exited or JobCause.Stopped } or { Cause: JobCause.Signalled, Signal: Interrupt or BrokenPipe }))
            Messages.Error(Describe(request, end, limit));
        return end.ExitCode;
    }

    static async Task<(JobEnd End, MemoryLimitKind? Limit)> RunProgramAsync(RunRequest request)
    {
        var limits = request.Limits;
        var onTerminal = Native.IsTerminal(0) == 1;
        var start = new ProgramStart(request.Program[0], request.Program[1..])
        {
            InheritInput = true,
            InheritDescriptors = true,
            ShareTerminal = onTerminal,
            Options = new() { MemoryLimit = limits.Memory, TimeLimit = limits.Timeout, Grace = limits.Grace },
        };
        using var forwarding = new SignalForwarding(limits.Grace, terminalDelivers: onTerminal);
        try
        {
            var process = await Place.OsProcess.StartProgramAsync(start).ConfigureAwait(false);
            forwarding.To(process);
            var exit = await process.Exited.ConfigureAwait(false);
            return (ProgramEnd.Of(exit, stopped: false), process.MemoryLimitKind);
        }
        catch (Exception error) when (ProgramEnd.OfStart(error) is { } end)
        {
            return (end, null);
        }
    }

    static string Describe(RunRequest request, JobEnd end, MemoryLimitKind? limit) => end.Cause switch
    {
        JobCause.TimedOut => $"{Name(request)} took longer than --timeout {Duration.Format(request.Limits.Timeout!.Value)} and was stopped.",
        JobCause.OutOfMemory when request.Limits.Memory is { } memory =>
            $"{Name(request)} needed more memory than --memory {ByteSize.Format(memory)} ({(limit == MemoryLimitKind.ControlGroup ? "held by a control group" : "looked at ten times a second")}) and was killed.",
        JobCause.Signalled => $"{Name(request)} was ended by signal {end.Signal}.",
        JobCause.NotStarted => end.Detail!,
        _ => $"{Name(request)}: {end.Describe()}.",
    };

    static string Name(RunRequest request) => Path.GetFileName(request.File ?? request.Program[0]);

    static void Write(RunRequest request, JobEnd end, MemoryLimitKind? limit, TimeSpan duration)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("command", ShellText.Join(request.Program));
            json.WriteString("cause", JsonWriter.Name(end.Cause));
            json.WriteNumber("exitCode", end.ExitCode);
            if (end.Signal > 0)
                json.WriteNumber("signal", end.Signal);
            if (end.Detail is { } detail)
                json.WriteString("detail", detail);
            json.WriteNumber("seconds", Math.Round(duration.TotalSeconds, 6));
            if (end.PeakMemory > 0)
                json.WriteNumber("peakMemory", end.PeakMemory);
            if (limit is { } kind)
                json.WriteString("memoryLimit", kind == MemoryLimitKind.ControlGroup ? "controlGroup" : "watch");
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        StandardStream.Error.Write(line.WrittenSpan);
    }
}
