using System.Text.Json;

namespace Skein.Cli;

/// <summary>
/// Carries out <c>skein attach</c>: a terminal that stays with a mobile process when that moves. Shows what it prints, and sends it each line that is typed, as a
/// message (a <c>string</c>). Ends with the process, and with the code that tells how; the process does not end with it.
/// </summary>
static class AttachCommand
{
    public static async Task<int> RunAsync(string id)
    {
        var found = await RunningServers.FindAsync(id).ConfigureAwait(false);
        if (found.Process is not { Kind: not "program" })
            throw CommandFailure.Usage($"{id} is a {found.Process?.Kind ?? found.Worker?.Kind ?? found.Server.Kind}: only mobile processes read what is typed. skein logs -f {id} shows what it prints.");
        _ = SendLinesAsync(id);
        var end = new ProcessEnd(id);
        var log = new ProcessLog(id, DateTimeOffset.MinValue, "Debug", Show);
        return await end.CodeAsync(log, await log.FollowAsync().ConfigureAwait(false)).ConfigureAwait(false);

        void Show(JsonElement line)
        {
            if (!end.Take(line))
                StandardStream.Output.Write(line.GetProperty("text").GetString() + "\n");
        }
    }

    static async Task SendLinesAsync(string id)
    {
        using var input = new StreamReader(Console.OpenStandardInput());
        while (await input.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            try
            {
                var found = await RunningServers.FindProcessAsync(id).ConfigureAwait(false);
                await ControlClient.AskAsync(found.Server.Socket, ["send", id, line], limit: MobileCommands.LookLimit).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is CommandFailure or IOException)
            {
                Messages.Error($"'{line}' was not sent: {failure.Message}");
            }
        }
    }
}
