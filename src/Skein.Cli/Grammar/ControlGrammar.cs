using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Skein.Cli;

/// <summary>The grammar of what asks servers and nodes that run: ps, top, inspect, logs, reload, scale, kill, move, checkpoint, restore, attach.</summary>
sealed class ControlGrammar
{
    readonly Argument<string?> _id = new("ID") { Arity = ArgumentArity.ZeroOrOne, HelpName = "ID", Description = "The server (default: the only one that runs)." };
    readonly Argument<string?> _optionalWorker = new("ID") { Arity = ArgumentArity.ZeroOrOne, HelpName = "ID", Description = "A server, a worker, a node, or what runs at one (default: the only server that runs)." };
    readonly Argument<string> _scaled = new("ID") { HelpName = "ID", Description = "The server." };
    readonly Argument<string> _killed = new("ID") { HelpName = "ID", Description = "The server, the node, or what runs at one." };
    readonly Argument<string> _mobile = new("ID") { HelpName = "ID", Description = "The mobile process." };
    readonly Argument<string> _destination = new("NODE") { HelpName = "NODE", Description = "Where it is to go on." };
    readonly Argument<string> _image = new("FILE") { HelpName = "FILE", Description = "The image." };
    readonly Option<string?> _node = Options.Text("--node", "NODE", "Where it is to go on (default: the only node that runs).", "a node's name");
    readonly Option<TimeSpan?> _within = Options.Time("--within", "How long it may take (default 30s); then it stays as it is (exit code 75).");
    readonly Argument<int> _number = new("N") { HelpName = "N", Description = "How many workers there are to be.", CustomParser = Workers };
    readonly Option<bool> _json = Options.Flag("--json", "JSON: of ps an array, of logs an object for each line.");
    readonly Option<bool> _now = Options.Flag("--now", "At once: requests that run are broken, processes of a node end with it.");
    readonly Option<bool> _follow = Options.Flag("--follow", "Go on with what comes, until Ctrl-C.");
    readonly Option<TimeSpan?> _since = Options.Time("--since", "Only what was printed in so long a time.");
    readonly Option<string?> _level = Options.OneOf("--level", "Only what is at least so severe.", "trace", "debug", "information", "warning", "error", "critical");
    readonly Option<int?> _rounds = Options.Count("--rounds", "End after so many tables (default: at Ctrl-C).", least: 1);

    public Command Ps { get; } = new("ps", "Lists what runs: servers and their workers, nodes and their processes.");

    public Command Top { get; } = new("top", "Shows every second what servers and their workers do.");

    public Command Inspect { get; } = new("inspect", "Tells all about a server or a node, a worker and its process, or a mobile process: its calls with lines and locals, timers, mail, size.");

    public Command Logs { get; } = new("logs", "Shows what the workers of a server, or the processes of a node, have printed.");

    public Command Reload { get; } = new("reload", "Puts new workers in the place of those that serve, without a failed request; waits, and says why where it fails.");

    public Command Scale { get; } = new("scale", "Changes the number of a server's workers; waits, and says why where it fails.");

    public Command Kill { get; } = new("kill", "Ends a server (first the requests that run are answered), a node (first what runs there is moved away), or a process.");

    public Command Move { get; } = new("move", "Lets a mobile process go on at another node; exit code 69 where it is refused, 75 after --within.");

    public Command Checkpoint { get; } = new("checkpoint", "Writes an image of a mobile process into a file; it goes on.");

    public Command Restore { get; } = new("restore", "Lets a mobile process go on from an image, which was made by checkpoint. It must not run any more.");

    public Command Attach { get; } = new("attach", "Shows what a mobile process prints, wherever it goes, and sends it each line that is typed as a message.");

    public ControlGrammar()
    {
        _follow.Aliases.Add("-f");
        Ps.Options.Add(_json);
        Top.Options.Add(_rounds);
        Inspect.Arguments.Add(_optionalWorker);
        Inspect.Options.Add(_json);
        Logs.Arguments.Add(_optionalWorker);
        Logs.Options.Add(_follow);
        Logs.Options.Add(_since);
        Logs.Options.Add(_level);
        Logs.Options.Add(_json);
        Reload.Arguments.Add(_id);
        Scale.Arguments.Add(_scaled);
        Scale.Arguments.Add(_number);
        Kill.Arguments.Add(_killed);
        Kill.Options.Add(_now);
        Move.Arguments.Add(_mobile);
        Move.Arguments.Add(_destination);
        Move.Options.Add(_within);
        Checkpoint.Arguments.Add(_mobile);
        Checkpoint.Arguments.Add(_image);
        Checkpoint.Options.Add(_within);
        _node.Aliases.Add("-n");
        Restore.Arguments.Add(_image);
        Restore.Options.Add(_node);
        Attach.Arguments.Add(_mobile);
    }

    public IEnumerable<Command> Commands => [Ps, Top, Inspect, Logs, Reload, Scale, Kill, Move, Checkpoint, Restore, Attach];

    public Task<int> CarryOutAsync(Command command, ParseResult own) => command.Name switch
    {
        "ps" => ListCommand.RunAsync(own.GetValue(_json)),
        "top" => TopCommand.RunAsync(own.GetValue(_rounds) ?? int.MaxValue),
        "inspect" => InspectCommand.RunAsync(own.GetValue(_optionalWorker), own.GetValue(_json)),
        "logs" => LogsCommand.RunAsync(own.GetValue(_optionalWorker), own.GetValue(_follow), own.GetValue(_since), Level(own.GetValue(_level)), own.GetValue(_json)),
        "reload" => ChangeCommand.RunAsync(own.GetValue(_id), "reload"),
        "scale" => ChangeCommand.RunAsync(own.GetValue(_scaled), "scale", Positive(own.GetValue(_number))),
        "move" => MobileCommands.MoveAsync(own.GetValue(_mobile)!, own.GetValue(_destination)!, Limit(own)),
        "checkpoint" => MobileCommands.CheckpointAsync(own.GetValue(_mobile)!, own.GetValue(_image)!, Limit(own)),
        "restore" => MobileCommands.RestoreAsync(own.GetValue(_image)!, own.GetValue(_node)),
        "attach" => AttachCommand.RunAsync(own.GetValue(_mobile)!),
        _ => KillCommand.RunAsync(own.GetValue(_killed)!, own.GetValue(_now)),
    };

    TimeSpan Limit(ParseResult own) => own.GetValue(_within) ?? TimeSpan.FromSeconds(30);

    static string Level(string? name) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(name ?? "trace");

    static int Workers(ArgumentResult result)
    {
        if (int.TryParse(result.Tokens[^1].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        result.AddError($"scale takes a whole number from 1; '{result.Tokens[^1].Value}' is none.");
        return 0;
    }

    static string Positive(int number) =>
        number > 0 ? number.ToString(CultureInfo.InvariantCulture) : throw CommandFailure.Usage($"scale takes at least 1 worker; {number} is none. skein kill ends a server.");
}
