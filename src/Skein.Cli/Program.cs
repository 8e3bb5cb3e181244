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
            return helpOrVersion.Invoke(own);
        if (command is RootCommand && own.UnmatchedTokens.Count == 0)
            throw CommandFailure.Usage("say what to do: skein run, skein map, skein serve, skein ps, …; skein --help says more.");
        if (own.Errors is [var error, ..])
            throw CommandFailure.Usage($"{error.Message} ({(command is RootCommand ? "skein" : $"skein {command.Name}")} --help says what there is.)");
        if (command == grammar.Map.Command)
            return await MapCommand.RunAsync(grammar.Map.Read(own, words)).ConfigureAwait(false);
        if (command == grammar.Run.Command)
            return await RunCommand.RunAsync(grammar.Run.Read(own, words)).ConfigureAwait(false);
        if (command == grammar.Serve.Command)
            return await ServeAsync(grammar.Serve, own, words).ConfigureAwait(false);
        if (grammar.Control.Commands.Contains(command))
            return await grammar.Control.CarryOutAsync(command, own).ConfigureAwait(false);
        return ShellCompletion.Print(own.GetValue(grammar.Shell), grammar.Root);
    }

    static Task<int> ServeAsync(ServeGrammar grammar, ParseResult own, CommandWords words) =>
        grammar.ReadServices(own, words) is { } services ? ServicesCommand.RunAsync(services) : throw ServeCommand.Become(grammar.Read(own, words));

    static int Report(CommandFailure failure)
    {
        try
        {
            StandardStream.Error.Write(failure.Output);
            Messages.Error(failure.Message);
        }
        catch (CommandFailure)
        {
            // There is nobody left to tell.
        }

        return failure.ExitCode;
    }
}
