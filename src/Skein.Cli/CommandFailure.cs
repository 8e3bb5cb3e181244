namespace Skein.Cli;

/// <summary>The command cannot go on: what it says on standard error, and the code it ends with.</summary>
sealed class CommandFailure(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public static CommandFailure Usage(string message) => new(Cli.ExitCode.Usage, message);
}
