using System.Globalization;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>Carries out <c>skein upgrade</c>: asks each node, which loads the build beside what it has, and says of each process of that application how it came out.</summary>
static class UpgradeCommand
{
    public static async Task<int> RunAsync(string file, string? node, TimeSpan within, bool isPreview, bool isJson)
    {
        if (!File.Exists(file))
            throw new CommandFailure(ExitCode.NoInput, $"there is no file '{file}'.");
        var dll = Path.GetFullPath(await Application.DllOfAsync(file, Messages.Note, CancellationToken.None).ConfigureAwait(false));
        string[] words = ["upgrade", dll, isPreview ? "preview" : "move", within.TotalSeconds.ToString(CultureInfo.InvariantCulture)];
        var nodes = node is not null ? [RunFolder.OfNode(node)] : await NodesAsync().ConfigureAwait(false);
        var outcomes = (await Task.WhenAll(nodes.Select(socket => AskAsync(socket, words, within + MobileCommands.Patience))).ConfigureAwait(false)).SelectMany(static all => all).ToArray();
        StandardStream.Output.Write(isJson ? $"[{string.Join(",\n ", outcomes.Select(static one => one.GetRawText()))}]\n" : string.Concat(outcomes.Select(one => Line(one, isPreview))));
        if (outcomes.Length == 0)
            Messages.Note($"no mobile process uses another build of {Path.GetFileName(dll)}.");
        return Array.TrueForAll(outcomes, IsMoved) ? 0 : ExitCode.SomeStay;
    }

    static async Task<string[]> NodesAsync()
    {
        var nodes = await RunningServers.NodesAsync().ConfigureAwait(false);
        if (nodes.Count == 0)
            throw new CommandFailure(ExitCode.Unavailable, "no node runs; skein node start --name NAME starts one.");
        return nodes.Find(static one => one.IsSilent) is { } silent
            ? throw new CommandFailure(ExitCode.Temporary, $"node {silent.Id} does not answer; say which are to be upgraded (-n).")
            : [.. nodes.Select(static one => one.Socket)];
    }

    static async Task<List<JsonElement>> AskAsync(string socket, string[] words, TimeSpan limit)
    {
        var outcomes = new List<JsonElement>();
        await ControlClient.AskAsync(socket, words, data: one => outcomes.Add(one.Clone()), limit: limit).ConfigureAwait(false);
        return outcomes;
    }

    static bool IsMoved(JsonElement one) => one.GetProperty("moved").GetBoolean();

    static string Line(JsonElement one, bool isPreview)
    {
        var (verb, why) = IsMoved(one) ? ("moves", "") : ("stays", $": {one.GetProperty("why").GetString()}");
        if (!isPreview)
            verb = IsMoved(one) ? "moved" : "stayed";
        return $"{verb,-7} {one.GetProperty("id").GetString()}  {one.GetProperty("name").GetString()} at {one.GetProperty("node").GetString()}{why}\n";
    }
}
