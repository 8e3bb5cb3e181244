using System.CommandLine;
using System.CommandLine.Help;

namespace Skein.Cli;

/// <summary>The whole grammar. System.CommandLine parses, and prints help from it; carrying out is done by the commands' own classes.</summary>
sealed class CommandLine
{
    public RootCommand Root { get; } = new("Processes for distributed systems: runs C# functions and programs in threads and processes.");

    public RunGrammar Run { get; } = new();

    public MapGrammar Map { get; } = new();

    public ServeGrammar Serve { get; } = new();

    public NodeGrammar Node { get; } = new();

    public UpgradeGrammar Upgrade { get; } = new();

    public ControlGrammar Control { get; } = new();

    public Argument<string?> Shell { get; } = new("SHELL") { HelpName = "bash|zsh|fish", Arity = ArgumentArity.ZeroOrOne, Description = "The shell that reads the script." };

    public Command Completion { get; } = new("completion", "Prints a script that completes skein's commands and options: source <(skein completion bash)");

    public CommandLine()
    {
        Completion.Arguments.Add(Shell);
        Root.Subcommands.Add(Run.Command);
        Root.Subcommands.Add(Map.Command);
        Root.Subcommands.Add(Serve.Command);
        Root.Subcommands.Add(Node.Command);
        foreach (var command in Control.Commands)
            Root.Subcommands.Add(command);
        Root.Subcommands.Add(Upgrade.Command);
        Root.Subcommands.Add(Completion);
        foreach (var option in Root.Options.OfType<HelpOption>())
            option.Action = new Help((HelpAction)option.Action!);
    }

    public ParseResult Parse(string[] own) =>
        Root.Parse(own, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
}
