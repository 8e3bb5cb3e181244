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

    public Command Command { get; } = new("run", "Runs one program or C# application within limits, and ends as it ends.");

    public RunGrammar()
    {
        Command.Arguments.Add(_file);
        _limits = new(Command, "At the end one JSON object about it on standard error.");
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
