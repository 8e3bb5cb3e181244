using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Threading.Channels;

namespace Skein;

/// <summary>What a prefork server answers on its control socket.</summary>
[SupportedOSPlatform("linux")]
sealed class PreforkControl(PreforkMaster master)
{
    public Task AnswerAsync(ControlRequest request) => request.Words switch
    {
        ["ps"] => request.DataAsync(WriteServer),
        ["reload"] => FollowAsync(request, () => master.ReloadAsync(CancellationToken.None)),
        ["scale", var number] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var workers) && workers > 0 =>
            FollowAsync(request, () => master.ScaleAsync(workers, CancellationToken.None)),
        ["kill"] => FollowAsync(request, () => master.StopAsync(now: false)),
        ["kill", "now"] => FollowAsync(request, () => master.StopAsync(now: true)),
        ["logs", var since, var severity, var source, var follow] => LogsAsync(request, DateTimeOffset.Parse(since, CultureInfo.InvariantCulture), Enum.Parse<LogSeverity>(severity), source, follow == "follow"),
        _ => throw new ServeException($"This server does not know '{string.Join(' ', request.Words)}'."),
    };

    /// <summary>Carries something out whether or not its client stays, and tells the client what new workers print meanwhile.</summary>
    async Task FollowAsync(ControlRequest request, Func<Task> operation)
    {
        var before = master.Processes.Select(process => process.Id).ToHashSet();
        var lines = Channel.CreateUnbounded<ServeLine>();
        void Add(ServeLine line) => lines.Writer.TryWrite(line);
        master.Log.Follow(Add);
        try
        {
            var running = operation();
            _ = running.ContinueWith(_ => lines.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await foreach (var line in lines.Reader.ReadAllAsync(request.Gone).ConfigureAwait(false))
            {
                if (!before.Contains(line.Origin))
                    await request.SayAsync(line.Origin == master.Options.Id ? line.Text : $"{line.Origin} | {line.Text}").ConfigureAwait(false);
            }

            await running.ConfigureAwait(false);
        }
        finally
        {
            master.Log.Forget(Add);
        }
    }

    async Task LogsAsync(ControlRequest request, DateTimeOffset since, LogSeverity severity, string source, bool follow)
    {
        var lines = Channel.CreateUnbounded<ServeLine>();
        void Add(ServeLine line) => lines.Writer.TryWrite(line);
        var kept = master.Log.Follow(Add);
        try
        {
            foreach (var line in kept)
                await WriteAsync(line).ConfigureAwait(false);
            if (!follow)
                return;
            _ = master.Completion.ContinueWith(_ => lines.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await foreach (var line in lines.Reader.ReadAllAsync(request.Gone).ConfigureAwait(false))
                await WriteAsync(line).ConfigureAwait(false);
        }
        finally
        {
            master.Log.Forget(Add);
        }

        Task WriteAsync(ServeLine line) =>
            line.Time < since || line.Severity < severity || (source.Length > 0 && source != line.Origin)
                ? Task.CompletedTask
                : request.DataAsync(json =>
                {
                    json.WriteString("time", line.Time);
                    json.WriteString("id", line.Origin);
                    json.WriteString("level", line.Severity.ToString().ToLowerInvariant());
                    json.WriteString("text", line.Text);
                });
    }

    void WriteServer(Utf8JsonWriter json)
    {
        json.WriteString("id", master.Options.Id);
        json.WriteString("kind", "server");
        json.WriteString("state", master.IsReady ? "serving" : "recovering");
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteString("started", master.Started);
        json.WriteString("release", master.Release?.Dll);
        json.WriteNumber("wanted", master.Wanted);
        json.WriteStartArray("addresses");
        foreach (var socket in master.Sockets)
            json.WriteStringValue(socket.Address.ToString());
        json.WriteEndArray();
        json.WriteStartArray("workers");
        foreach (var process in master.Processes)
        {
            json.WriteStartObject();
            WriteWorker(json, process);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    static void WriteWorker(Utf8JsonWriter json, ServingProcess process)
    {
        var beat = process.Beat;
        json.WriteString("id", process.Id);
        json.WriteString("kind", "worker");
        json.WriteString("state", process.State.ToString().ToLowerInvariant());
        json.WriteNumber("pid", process.Pid);
        json.WriteString("started", process.Started);
        json.WriteString("release", process.Release.Dll);
        json.WriteNumber("requests", beat.Requests);
        json.WriteNumber("failed", beat.Failed);
        json.WriteNumber("active", beat.Active);
        json.WriteNumber("connections", beat.Connections);
        json.WriteNumber("microseconds", beat.Microseconds);
        json.WriteNumber("heap", beat.Heap);
        json.WriteNumber("memory", process.ResidentBytes);
        json.WriteNumber("processorSeconds", process.ProcessorTime.TotalSeconds);
        json.WriteNumber("silentSeconds", Math.Round(process.Silence.TotalSeconds, 1));
    }
}
