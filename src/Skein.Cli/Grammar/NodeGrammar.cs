using System.CommandLine;
using System.Net;

namespace Skein.Cli;

/// <summary>The grammar of <c>skein node</c>.</summary>
sealed class NodeGrammar
{
    const string Actions = "start, drain or token";

    readonly Argument<string[]> _words = new("ACTION") { Arity = ArgumentArity.ZeroOrMore, HelpName = "start|drain|token", Description = "start: be a node until SIGTERM. drain [NAME]: move away what runs there. token [NAME]: what lets one node of another machine join." };
    readonly Option<string?> _name = Options.Text("--name", "NAME", "What other nodes and functions call it.", "a name");
    readonly Option<string?> _code = Options.Text("--code", "WHOSE", "Whose code it takes: own (this user's programs on this machine: the default), any, none, or the SHA-256 of modules with commas between.", "own, any, none, or SHA-256 with commas between");
    readonly Option<string?> _store = Options.Text("--store", "FILE", "Where processes are kept that store themselves: a log, or a database of SQLite (.db, .sqlite). They go on when the node starts again.", "a file");
    readonly Option<IPEndPoint?> _listen = Options.Valued<IPEndPoint?>("--listen", "ADDRESS", "Where nodes of other machines reach it.", "an address and a port, as 192.0.2.1:7000", Address);
    readonly Option<string?> _join = Options.Text("--join", "TOKEN", "Become one of the nodes of another machine, once, by what skein node token has printed there.", "a token");
    readonly Option<bool> _detach = Options.Flag("--detach", "Return when it is ready; it goes on.");
    readonly Option<IPEndPoint?> _address = Options.Valued<IPEndPoint?>("--address", "ADDRESS", "token: by which address the node is reached.", "an address and a port, as 192.0.2.1:7000", Address);
    readonly Option<TimeSpan?> _life = Options.Time("--life", "token: how long it is good (default 1h).");

    readonly Option<string?> _for = Options.Text("--for", "NODE", "token: the only name that it is good for, also where a node has it, whose place is taken.", "a node's name");

    public Command Command { get; } = new("node", "Starts a node, where mobile functions of this user's programs can go; empties it; lets others join.");

    public NodeGrammar()
    {
        _detach.Aliases.Add("-d");
        _words.CompletionSources.Add("start", "drain", "token");
        Command.Arguments.Add(_words);
        foreach (var option in (Option[])[_name, _detach, _code, _store, _listen, _join, _address, _life, _for])
            Command.Options.Add(option);
    }

    public Task<int> CarryOutAsync(ParseResult own) => own.GetValue(_words) switch
    {
        ["start"] => own.GetValue(_detach) ? DetachedNode.StartAsync(Read(own)) : NodeCommand.RunAsync(Read(own)),
        ["start", ..] => throw CommandFailure.Usage("node start needs a name: --name NAME."),
        ["drain", .. { Length: <= 1 } rest] => DrainAsync(Name(rest, own)),
        ["token", .. { Length: <= 1 } rest] => TokenAsync(Name(rest, own), own),
        _ => throw CommandFailure.Usage($"node takes an action: {Actions}. skein node start --name NAME starts one."),
    };

    string? Name(string[] rest, ParseResult own) => rest is [var name] ? name : own.GetValue(_name);

    static async Task<int> DrainAsync(string? node)
    {
        await ControlClient.AskAsync(await RunningServers.ChooseNodeAsync(node).ConfigureAwait(false), ["drain"], say: Messages.Note).ConfigureAwait(false);
        return 0;
    }

    async Task<int> TokenAsync(string? node, ParseResult own)
    {
        var life = own.GetValue(_life) ?? TimeSpan.FromHours(1);
        await ControlClient.AskAsync(
            await RunningServers.ChooseNodeAsync(node).ConfigureAwait(false),
            ["token", own.GetValue(_address)?.ToString() ?? "", life.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture), .. own.GetValue(_for) is { } name ? (string[])[name] : []],
            data: static answer => StandardStream.Output.Write(answer.GetProperty("token").GetString() + "\n")).ConfigureAwait(false);
        return 0;
    }

    NodeRequest Read(ParseResult own)
    {
        var name = own.GetValue(_name) ?? throw CommandFailure.Usage("node start needs a name: --name NAME.");
        if (own.GetValue(_listen) is not null && own.GetValue(_join) is not null)
            throw CommandFailure.Usage("--join makes a node one of another's cluster, which it knows by the token; --listen makes a cluster of its own. Give one of them.");
        return new(name, own.GetValue(_code) ?? "own", own.GetValue(_store), own.GetValue(_listen), own.GetValue(_join));
    }

    static IPEndPoint? Address(string text) => IPEndPoint.TryParse(text, out var address) ? address : null;
}

/// <param name="Name">Of the node.</param>
/// <param name="Code">Whose code it takes, as it was said.</param>
/// <param name="Store">A file; null: none.</param>
/// <param name="Listen">Where nodes of other machines reach it; null: nowhere.</param>
/// <param name="Join">A token; null: none.</param>
sealed record NodeRequest(string Name, string Code, string? Store, IPEndPoint? Listen, string? Join)
{
    /// <summary>The words that say the same.</summary>
    public string[] Words =>
    [
        "node", "start", "--name", Name, "--code", Code,
        .. Store is null ? (string[])[] : ["--store", Path.GetFullPath(Store)],
        .. Listen is null ? (string[])[] : ["--listen", Listen.ToString()],
        .. Join is null ? (string[])[] : ["--join", Join],
    ];
}
