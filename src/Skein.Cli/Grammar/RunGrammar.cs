using System.CommandLine;

namespace Skein.Cli;

/// <summary>The grammar of <c>skein run</c>.</summary>
sealed class RunGrammar
{
    readonly LimitOptions _limits;
    readonly Argument<string[]> _file = new("FILE")
    {
        Description = "A C# file (built once, then kept) or a built application's dll.",
        Arity = ArgumentArity.ZeroOrMore,
        HelpName = "FILE.cs|APP.dll",
    };

    readonly Option<string?> _node = Options.Text("--node", "NODE", "Run it at this node: the whole file, or its mobile function --function NAME.", "a node's name");
    readonly Option<string?> _function = Options.Text("--function", "NAME", "With --node: start this mobile function, with the words after -- as its arguments.", "a function's name: Name or Type.Method");
    readonly Option<bool> _detach = Options.Flag("--detach", "With --node: print its id, and leave it to itself.");

    public Command Command { get; } = new("run", "Runs one program or C# application within limits, and ends as it ends.");

    public RunGrammar()
    {
        Command.Arguments.Add(_file);
        _limits = new(Command, "At the end one JSON object about it on standard error.");
        _node.Aliases.Add("-n");
        _detach.Aliases.Add("-d");
        Command.Options.Add(_node);
        Command.Options.Add(_function);
        Command.Options.Add(_detach);
    }

    /// <summary>Null where it is to be run here.</summary>
    public NodeRunRequest? ReadNode(ParseResult own, CommandWords words)
    {
        var (node, function, isDetached) = (own.GetValue(_node), own.GetValue(_function), own.GetValue(_detach));
        if (node is null)
        {
            return function is null && !isDetached ? null
                : throw CommandFailure.Usage($"{(function is null ? "--detach" : "--function")} is for nodes: add --node NODE. To call a function here: skein map FILE --function NAME ::: INPUTS…");
        }
        var (file, program) = Target.Read(own.GetValue(_file) ?? [], words, "run");
        if (file is null)
            throw CommandFailure.Usage("run --node takes FILE.cs or APP.dll.");
        if (_limits.FirstGiven(own) is { } limit)
            throw CommandFailure.Usage($"{limit} is for what runs here, not at a node.");
        return new(file, node, function, program, isDetached);
    }

    public RunRequest Read(ParseResult own, CommandWords words)
    {
        var (file, program) = Target.Read(own.GetValue(_file) ?? [], words, "run");
        return new(file, program, _limits.Read(own, isProgram: file is null), own.GetValue(_limits.Json));
    }
}

/// <param name="File">The C# file or application; null where a program is to be run.</param>
/// <param name="Program">The program and its arguments; of a file only the arguments.</param>
sealed record RunRequest(string? File, string[] Program, RunLimits Limits, bool Json);
