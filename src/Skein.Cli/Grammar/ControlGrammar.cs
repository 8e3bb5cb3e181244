using System.CommandLine;
using System.Globalization;

namespace Skein.Cli;

/// <summary>The grammar of what asks servers that run: ps, top, inspect, logs, reload, scale and kill.</summary>
sealed class ControlGrammar
{
    readonly Argument<string?> _id = new("ID") { Arity = ArgumentArity.ZeroOrOne, HelpName = "ID", Description = "The server (default: the only one that runs)." };
    readonly Argument<string?> _optionalWorker = new("ID") { Arity = ArgumentArity.ZeroOrOne, HelpName = "ID", Description = "A server or a worker (default: the only server that runs)." };
    readonly Argument<string> _scaled = new("ID") { HelpName = "ID", Description = "The server." };
    readonly Argument<string> _killed = new("ID") { HelpName = "ID", Description = "The server." };
    readonly Argument<int> _number = new("N") { HelpName = "N", Description = "How many workers there are to be." };
    readonly Option<bool> _json = Options.Flag("--json", "One JSON object for each.");
    readonly Option<bool> _now = Options.Flag("--now", "At once: requests that run are broken.");
    readonly Option<bool> _follow = Options.Flag("--follow", "Go on with what comes, until Ctrl-C.");
    readonly Option<TimeSpan?> _since = Options.Time("--since", "Only what was printed in so long a time.");
    readonly Option<string?> _level = Options.OneOf("--level", "Only what is at least so severe.", "trace", "debug", "information", "warning", "error", "critical");
    readonly Option<int?> _rounds = Options.Count("--rounds", "End after so many tables (default: at Ctrl-C).", least: 1);

    public Command Ps { get; } = new("ps", "Lists what runs: servers and their workers.");

    public Command Top { get; } = new("top", "Shows every second what servers and their workers do.");

    public Command Inspect { get; } = new("inspect", "Tells all about a server, or about a worker and its process.");

    public Command Logs { get; } = new("logs", "Shows what the workers of a server have printed.");

    public Command Reload { get; } = new("reload", "Puts new workers in the place of those that serve, without a failed request; waits, and says why where it fails.");

    public Command Scale { get; } = new("scale", "Changes the number of a server's workers; waits, and says why where it fails.");

    public Command Kill { get; } = new("kill", "Ends a server: first the requests that run are answered.");

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
    }

    public IEnumerable<Command> Commands => [Ps, Top, Inspect, Logs, Reload, Scale, Kill];

    public Task<int> CarryOutAsync(Command command, ParseResult own) => command.Name switch
    {
        "ps" => ListCommand.RunAsync(own.GetValue(_json)),
        "top" => TopCommand.RunAsync(own.GetValue(_rounds) ?? int.MaxValue),
        "inspect" => InspectCommand.RunAsync(own.GetValue(_optionalWorker), own.GetValue(_json)),
        "logs" => LogsCommand.RunAsync(own.GetValue(_optionalWorker), own.GetValue(_follow), own.GetValue(_since), Level(own.GetValue(_level)), own.GetValue(_json)),
        "reload" => ChangeCommand.RunAsync(own.GetValue(_id), "reload"),
        "scale" => ChangeCommand.RunAsync(own.GetValue(_scaled), "scale", Positive(own.GetValue(_number))),
        _ => own.GetValue(_now) ? ChangeCommand.RunAsync(own.GetValue(_killed), "kill", "now") : ChangeCommand.RunAsync(own.GetValue(_killed), "kill"),
    };

    static string Level(string? name) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(name ?? "trace");

    static string Positive(int number) =>
        number > 0 ? number.ToString(CultureInfo.InvariantCulture) : throw CommandFailure.Usage($"scale takes at least 1 worker; {number} is none. skein kill ends a server.");
}
