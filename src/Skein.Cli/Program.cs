using System.CommandLine;
using System.CommandLine.Invocation;

namespace Skein.Cli;

/// <summary>The command <c>skein</c>.</summary>
static class Program
{
    public static async Task<int> Main(string[] words)
    {
        try
        {
            CommandWords.RequireText(words);   // first: a process that begins anew is handed the words as they were read here
            ClosedStreams.Replace();
            return await CarryOutAsync(CommandWords.Split(words)).ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            return Report(failure);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return Report(new(ExitCode.Software, $"this should not have happened; please report it. {error}"));
        }
    }

    static async Task<int> CarryOutAsync(CommandWords words)
    {
        var grammar = new CommandLine();
        var own = grammar.Parse(words.Own);
        var command = own.CommandResult.Command;
        if (own.Action is SynchronousCommandLineAction helpOrVersion && helpOrVersion is not ParseErrorAction)
            return Tell(own, helpOrVersion);
        if (command is RootCommand)
        {
            throw CommandFailure.Usage(own.UnmatchedTokens is [var word, ..]
                ? $"there is no command '{word}'; skein --help says which there are."
                : "say what to do: skein run, skein map, skein serve, skein ps, …; skein --help says more.");
        }

        if (own.Errors is [var error, ..])
            throw CommandFailure.Usage($"{error.Message} (skein {command.Name} --help says what there is.)");
        DataFolder.RequireNoFile();
        if (command == grammar.Map.Command)
            return await MapCommand.RunAsync(grammar.Map.Read(own, words)).ConfigureAwait(false);
        if (command == grammar.Run.Command)
            return await RunAsync(grammar.Run, own, words).ConfigureAwait(false);
        if (command == grammar.Serve.Command)
            return await ServeAsync(grammar.Serve, own, words).ConfigureAwait(false);
        if (command == grammar.Node.Command)
            return await grammar.Node.CarryOutAsync(own).ConfigureAwait(false);
        if (command == grammar.Upgrade.Command)
            return await grammar.Upgrade.CarryOutAsync(own).ConfigureAwait(false);
        if (grammar.Control.Commands.Contains(command))
            return await grammar.Control.CarryOutAsync(command, own).ConfigureAwait(false);
        return ShellCompletion.Print(own.GetValue(grammar.Shell), grammar.Root);
    }

    static int Tell(ParseResult own, SynchronousCommandLineAction helpOrVersion)
    {
        var text = new StringWriter();
        own.InvocationConfiguration.Output = text;
        var code = helpOrVersion.Invoke(own);
        StandardStream.Output.Write(text.ToString());
        return code;
    }

    static Task<int> RunAsync(RunGrammar grammar, ParseResult own, CommandWords words) =>
        grammar.ReadNode(own, words) is { } there ? NodeRunCommand.RunAsync(there) : RunCommand.RunAsync(grammar.Read(own, words));

    static Task<int> ServeAsync(ServeGrammar grammar, ParseResult own, CommandWords words) =>
        grammar.ReadServices(own, words) is { } services ? ServicesCommand.RunAsync(services) : throw ServeCommand.Become(grammar.Read(own, words));

    static int Report(CommandFailure failure)
    {
        StandardStream.Error.TryWrite(failure.Output);
        Messages.Error(failure.Message);
        return failure.ExitCode;
    }
}
