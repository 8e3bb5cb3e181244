using System.Runtime.Versioning;
using System.Text.Json;

namespace Skein;

/// <summary>What a super-server answers on its control socket. Its services are shown as other servers show their workers.</summary>
[SupportedOSPlatform("linux")]
sealed class SuperServerControl(string id, SuperServer server, ServeLog log)
{
    readonly DateTimeOffset _started = TimeProvider.System.GetUtcNow();

    /// <summary>Reads the services again.</summary>
    /// <exception cref="ServeException">It did not happen: the message says why.</exception>
    public required Func<Task> ReloadAsync { get; init; }

    /// <summary>Ends the server, at once where that is asked for; completes when it has.</summary>
    public required Func<bool, Task> StopAsync { get; init; }

    /// <summary>Completes when the server has ended.</summary>
    public required Task End { get; init; }

    public async Task AnswerAsync(ControlRequest request)
    {
        switch (request.Words)
        {
            case ["ps"]:
                var services = await server.StatusAsync().ConfigureAwait(false);
                await request.DataAsync(json => WriteServer(json, services)).ConfigureAwait(false);
                break;
            case ["reload"]:
                await request.FollowAsync(log, ReloadAsync, static line => line.Text).ConfigureAwait(false);
                break;
            case ["kill"] or ["kill", "now"]:
                await request.FollowAsync(log, () => StopAsync(request.Words is [_, "now"]), static line => line.Text).ConfigureAwait(false);
                break;
            case ["logs", ..]:
                await request.LogsAsync(log, End).ConfigureAwait(false);
                break;
            case ["scale", ..]:
                throw new ServeException("A super-server has no number of workers: those of a handler are set by workers: in its file, and by a reload.");
            default:
                throw new ServeException($"This server does not know '{string.Join(' ', request.Words)}'.");
        }
    }

    void WriteServer(Utf8JsonWriter json, IReadOnlyList<ServiceStatus> services)
    {
        json.WriteString("id", id);
        json.WriteString("kind", "super");
        json.WriteString("state", "serving");
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteString("started", _started);
        json.WriteStartArray("addresses");
        foreach (var service in services)
            json.WriteStringValue($"{service.Address}");
        json.WriteEndArray();
        json.WriteStartArray("workers");
        foreach (var service in services)
        {
            json.WriteStartObject();
            WriteService(json, service);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    void WriteService(Utf8JsonWriter json, ServiceStatus service)
    {
        json.WriteString("id", $"{id}.{service.Name}");
        json.WriteString("kind", "service");
        json.WriteString("state", service.State.ToString().ToLowerInvariant());
        json.WriteNumber("pid", service.ProcessIds is [var first, ..] ? first : 0);
        json.WriteString("started", service.Since);
        json.WriteString("address", $"{service.Address}");
        json.WriteNumber("requests", service.Started);
        json.WriteNumber("failed", service.Failed);
        json.WriteNumber("refused", service.Refused);
        if (service.LastFailure is not null)
            json.WriteString("lastFailure", service.LastFailure);
        json.WriteNumber("active", service.Instances);
        json.WriteNumber("connections", service.Instances);
        json.WriteNumber("microseconds", 0);
        json.WriteNumber("memory", service.ProcessIds.Sum(process => ProcessUse.ResidentBytes(process) ?? 0));
        json.WriteNumber("processorSeconds", service.ProcessIds.Sum(process => ProcessUse.ProcessorTime(process)?.TotalSeconds ?? 0));
        json.WriteStartArray("processes");
        foreach (var process in service.ProcessIds)
            json.WriteNumberValue(process);
        json.WriteEndArray();
    }
}
