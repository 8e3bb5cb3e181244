using System.Globalization;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>Carries out <c>skein logs</c>.</summary>
static class LogsCommand
{
    public static async Task<int> RunAsync(string? id, bool follow, TimeSpan? since, string level, bool json)
    {
        var from = since is { } time ? TimeProvider.System.GetUtcNow() - time : DateTimeOffset.MinValue;
        var process = new ProcessLog(id ?? "", from, level, line => Show(line, json));
        Found found;
        try
        {
            found = await RunningServers.FindAsync(id).ConfigureAwait(false);
        }
        catch (CommandFailure failure) when (failure.ExitCode == ExitCode.Unavailable && id is not null)
        {
            if (await process.ShowAsync().ConfigureAwait(false))
                return 0;   // it has ended
            throw;
        }
        if (found.Process is not { Kind: not "program" })
            await AskAsync(found.Server.Socket, from, level, found.Worker?.Id ?? found.Process?.Id ?? "", follow, line => Show(line, json), CancellationToken.None).ConfigureAwait(false);
        else if (follow)
            await process.FollowAsync().ConfigureAwait(false);
        else
            await process.ShowAsync().ConfigureAwait(false);
        return 0;
    }

    public static Task AskAsync(string socket, DateTimeOffset from, string level, string origin, bool follow, Action<JsonElement> line, CancellationToken cancellation) => ControlClient.AskAsync(
        socket, ["logs", from.ToString("O", CultureInfo.InvariantCulture), level, origin, follow ? "follow" : "once"], data: line, cancellation: cancellation);

    static void Show(JsonElement line, bool json) => StandardStream.Output.Write(json
        ? line.GetRawText() + "\n"
        : $"{line.GetProperty("time").GetDateTimeOffset().ToLocalTime():HH:mm:ss.fff} {line.GetProperty("id").GetString()} | {line.GetProperty("text").GetString()}\n");
}
