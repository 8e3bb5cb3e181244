using System.CommandLine;

namespace Skein.Cli;

/// <summary>The grammar of <c>skein upgrade</c>.</summary>
sealed class UpgradeGrammar
{
    readonly Argument<string> _file = new("FILE") { HelpName = "APP.dll|FILE.cs", Description = "The build that mobile processes of the application are to go on in: a newer one, or an older one." };
    readonly Option<string?> _node = Options.Text("--node", "NODE", "Only what runs there (default: at all nodes of this user on this machine).", "a node's name");
    readonly Option<TimeSpan?> _within = Options.Time("--within", "How long each process may take to come to a wait (default 30s); then it stays as it is.");
    readonly Option<bool> _dryRun = Options.Flag("--dry-run", "Only say how it would come out.");
    readonly Option<bool> _json = Options.Flag("--json", "An array of objects.");

    public Command Command { get; } = new("upgrade", "Lets mobile processes go on in another build of their application, where they wait; says of each that cannot which function has changed, and ends with 1 where there is one.");

    public UpgradeGrammar()
    {
        _node.Aliases.Add("-n");
        Command.Arguments.Add(_file);
        foreach (var option in (Option[])[_node, _within, _dryRun, _json])
            Command.Options.Add(option);
    }

    public Task<int> CarryOutAsync(ParseResult own) => UpgradeCommand.RunAsync(
        own.GetValue(_file)!, own.GetValue(_node), own.GetValue(_within) ?? TimeSpan.FromSeconds(30), own.GetValue(_dryRun), own.GetValue(_json));
}
