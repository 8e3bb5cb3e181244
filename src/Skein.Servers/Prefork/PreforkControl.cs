using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;

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
        ["logs", ..] => request.LogsAsync(master.Log, master.Completion),
        _ => throw new ServeException($"This server does not know '{string.Join(' ', request.Words)}'."),
    };

    /// <summary>New workers print why they do not start; what older ones print meanwhile is none of it.</summary>
    Task FollowAsync(ControlRequest request, Func<Task> operation)
    {
        var before = master.Processes.Select(process => process.Id).ToHashSet();
        string? failure = null;
        return request.FollowAsync(master.Log, OperateAsync, line =>
            before.Contains(line.Origin) || line.Text == failure ? null : line.Origin == master.Options.Id ? line.Text : $"{line.Origin} | {line.Text}");

        async Task OperateAsync()
        {
            try
            {
                await operation().ConfigureAwait(false);
            }
            catch (ServeException error)
            {
                failure = error.Message;   // the client is told of it by the end
                master.Report(error);
                throw;
            }
        }
    }

    void WriteServer(Utf8JsonWriter json)
    {
        json.WriteString("id", master.Options.Id);
        json.WriteString("kind", "server");
        json.WriteString("state", master switch { { IsStopping: true } => "stopping", { Release: null } => "starting", { IsReady: true } => "serving", _ => "recovering" });
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
