using System.Globalization;

namespace Skein.Cli;

/// <summary>Carries out <c>skein move</c>, <c>checkpoint</c> and <c>restore</c>: what only mobile processes can.</summary>
static class MoveCommand
{
    public static async Task<int> RunAsync(string id, string node, TimeSpan limit)
    {
        await AskAsync(id, "move", node, Seconds(limit)).ConfigureAwait(false);
        return 0;
    }

    public static async Task<int> CheckpointAsync(string id, string file, TimeSpan limit)
    {
        await AskAsync(id, "checkpoint", Path.GetFullPath(file), Seconds(limit)).ConfigureAwait(false);
        return 0;
    }

    public static async Task<int> RestoreAsync(string file, string? node)
    {
        if (!File.Exists(file))
            throw new CommandFailure(ExitCode.NoInput, $"there is no file '{file}'.");
        await ControlClient.AskAsync(
            await RunningServers.ChooseNodeAsync(node).ConfigureAwait(false),
            ["restore", Path.GetFullPath(file)],
            data: static answer => StandardStream.Output.Write(answer.GetProperty("id").GetString() + "\n")).ConfigureAwait(false);
        return 0;
    }

    static async Task AskAsync(string id, string what, params string[] more)
    {
        var found = await RunningServers.FindAsync(id).ConfigureAwait(false);
        if (found.Process is null)
            throw CommandFailure.Usage($"{id} is a {found.Worker?.Kind ?? found.Server.Kind}: only mobile processes can be moved and stored. skein ps lists them.");
        await ControlClient.AskAsync(found.Server.Socket, [what, id, .. more], say: Messages.Note).ConfigureAwait(false);
    }

    static string Seconds(TimeSpan time) => time.TotalSeconds.ToString(CultureInfo.InvariantCulture);
}
