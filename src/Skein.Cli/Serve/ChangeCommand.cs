namespace Skein.Cli;

/// <summary>Carries out <c>skein reload</c> and <c>scale</c>: waits for the end, and shows what is said meanwhile.</summary>
static class ChangeCommand
{
    public static async Task<int> RunAsync(string? id, params string[] words)
    {
        id = await RunningServers.ChooseAsync(id).ConfigureAwait(false);
        await ControlClient.AskAsync(RunFolder.SocketOf(id), words, say: Messages.Note).ConfigureAwait(false);
        return 0;
    }
}
