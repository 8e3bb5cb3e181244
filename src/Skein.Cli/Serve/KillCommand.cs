namespace Skein.Cli;

/// <summary>Carries out <c>skein kill</c>: waits for the end, and shows what is said meanwhile.</summary>
static class KillCommand
{
    public static async Task<int> RunAsync(string id, bool now)
    {
        var found = await RunningServers.FindAsync(id).ConfigureAwait(false);
        if (found.Worker is { } worker)
            throw CommandFailure.Usage($"{id} is a {worker.Kind} of {found.Server.Id}, which would replace it: skein kill {found.Server.Id} ends all of it.");
        await ControlClient.AskAsync(
            found.Server.Socket,
            ["kill", .. found.Process is null ? (string[])[] : [id], .. now ? (string[])["now"] : []],
            say: Messages.Note,
            limit: found.Process is { Kind: not "program" } ? MobileCommands.LookLimit : null).ConfigureAwait(false);
        return 0;
    }
}
