using System.Globalization;

namespace Skein.Cli;

/// <summary>Carries out <c>skein move</c>, <c>checkpoint</c> and <c>restore</c>: what only mobile processes can.</summary>
static class MobileCommands
{
    /// <summary>A node tells within this time more than it was given that it cannot.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <summary>For the answer of a process that is looked at, or ended.</summary>
    public static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(10) + Patience;

    public static Task<int> MoveAsync(string id, string node, TimeSpan limit) => AskAsync(id, limit, "move", node);

    public static Task<int> CheckpointAsync(string id, string file, TimeSpan limit) => AskAsync(id, limit, "checkpoint", Path.GetFullPath(file));

    public static async Task<int> RestoreAsync(string file, string? node)
    {
        if (!File.Exists(file))
            throw new CommandFailure(ExitCode.NoInput, $"there is no file '{file}'.");
        await ControlClient.AskAsync(
            await RunningServers.ChooseNodeAsync(node).ConfigureAwait(false),
            ["restore", Path.GetFullPath(file)],
            data: static answer => StandardStream.Output.Write(answer.GetProperty("id").GetString() + "\n"),
            limit: LookLimit).ConfigureAwait(false);
        return 0;
    }

    static async Task<int> AskAsync(string id, TimeSpan limit, string what, string where)
    {
        var found = await RunningServers.FindAsync(id).ConfigureAwait(false);
        if (found.Process is null)
            throw CommandFailure.Usage($"{id} is a {found.Worker?.Kind ?? found.Server.Kind}: only mobile processes can be moved and stored. skein ps lists them.");
        await ControlClient.AskAsync(
            found.Server.Socket, [what, id, where, limit.TotalSeconds.ToString(CultureInfo.InvariantCulture)], say: Messages.Note, limit: limit + Patience).ConfigureAwait(false);
        return 0;
    }
}
