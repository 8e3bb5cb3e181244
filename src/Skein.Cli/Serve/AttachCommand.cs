namespace Skein.Cli;

/// <summary>
/// Carries out <c>skein attach</c>: a terminal that stays with a mobile process when that moves. Shows what it prints, and sends it each line that is typed, as a
/// message (a <c>string</c>). Ends with the process; the process does not end with it.
/// </summary>
static class AttachCommand
{
    public static async Task<int> RunAsync(string id)
    {
        _ = await RunningServers.FindProcessAsync(id).ConfigureAwait(false);
        using var over = new CancellationTokenSource();
        _ = SendLinesAsync(id, over.Token);
        await FollowedProcess.FollowAsync(
            id, DateTimeOffset.MinValue, "Information", static line => StandardStream.Output.Write(line.GetProperty("text").GetString() + "\n"), CancellationToken.None).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        return 0;
    }

    static async Task SendLinesAsync(string id, CancellationToken cancellation)
    {
        using var input = new StreamReader(Console.OpenStandardInput());
        while (await input.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            try
            {
                if (await FollowedProcess.WhereAsync(id).ConfigureAwait(false) is { } socket)
                    await ControlClient.AskAsync(socket, ["send", id, line], cancellation: cancellation).ConfigureAwait(false);
            }
            catch (CommandFailure failure)
            {
                Messages.Error(failure.Message);
            }
        }
    }
}
