using System.Globalization;

namespace Skein.Cli;

/// <summary>Carries out <c>skein logs</c>.</summary>
static class LogsCommand
{
    public static async Task<int> RunAsync(string? id, bool follow, TimeSpan? since, string level, bool json)
    {
        var (server, worker) = await RunningServers.FindAsync(id).ConfigureAwait(false);
        var from = since is { } time ? TimeProvider.System.GetUtcNow() - time : DateTimeOffset.MinValue;
        await ControlClient.AskAsync(
            RunFolder.SocketOf(server.Id),
            ["logs", from.ToString("O", CultureInfo.InvariantCulture), level, worker?.Id ?? "", follow ? "follow" : "once"],
            data: line => StandardStream.Output.Write(json
                ? line.GetRawText() + "\n"
                : $"{line.GetProperty("time").GetDateTimeOffset().ToLocalTime():HH:mm:ss.fff} {line.GetProperty("id").GetString()} | {line.GetProperty("text").GetString()}\n")).ConfigureAwait(false);
        return 0;
    }
}
