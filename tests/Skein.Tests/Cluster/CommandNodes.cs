using System.Runtime.Versioning;
using System.Text.Json;
using Skein.Tests.Cli;

namespace Skein.Tests.Cluster;

/// <summary>A user's home with two nodes, <c>a</c> and <c>b</c>, that <c>skein node start</c> has started; and the commands for them.</summary>
[SupportedOSPlatform("linux")]
public sealed class CommandNodes : IAsyncLifetime
{
    readonly List<Started> _commands = [];

    internal ScratchFolder Folder { get; } = new();

    internal string Nodes => Folder["nodes"];

    /// <summary>Code that runs for seconds only is not worth its profile.</summary>
    Dictionary<string, string> Home => new() { ["SKEIN_HOME"] = Folder.Path, ["DOTNET_TieredPGO"] = "0" };

    public async ValueTask InitializeAsync() => await Task.WhenAll(StartNodeAsync("a"), StartNodeAsync("b"));

    public ValueTask DisposeAsync()
    {
        foreach (var command in _commands)
            command.Dispose();
        Folder.Dispose();
        return default;
    }

    /// <summary>In the foreground, until this is disposed of.</summary>
    internal async Task<Started> StartNodeAsync(string name, params string[] options)
    {
        var command = Start(["node", "start", "--name", name, .. options]);
        await Limits.Until(() => command.Output.Length > 0 || command.Process.HasExited, () => $"{name}: {command.Error}", 30);
        Assert.Equal($"ready {name}\n", command.Output);
        return command;
    }

    /// <summary>Ended at the latest with these nodes.</summary>
    internal Started Start(params string[] words)
    {
        var command = SkeinCommand.Start(words, Home);
        lock (_commands)
            _commands.Add(command);
        return command;
    }

    internal Task<Ended> RunAsync(params string[] words) => SkeinCommand.RunAsync("", words, Home);

    internal async Task<string> SucceedAsync(params string[] words)
    {
        var ended = await RunAsync(words);
        Assert.True(ended.Code == 0, $"{string.Join(' ', words)}: {ended.Code} {ended.Error}");
        return ended.Output;
    }

    internal NodePlace At(string name) => Place.Node(name, Nodes);

    internal Task<Asked> AskAsync(string node, params string[] words) => Asked.Async(Nodes, node, words);

    /// <summary>What a node says of what runs there.</summary>
    internal async Task<JsonElement[]> ProcessesAsync(string node, params string[] id) =>
        [.. (await AskAsync(node, ["ps", .. id])).Data.Single().GetProperty("processes").EnumerateArray()];

    internal async Task<int> PidAsync(string node) => (await AskAsync(node, "ps")).Data.Single().GetProperty("pid").GetInt32();
}
