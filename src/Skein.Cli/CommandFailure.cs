namespace Skein.Cli;

/// <summary>The command cannot go on: what it says on standard error, and the code it ends with.</summary>
/// <param name="exitCode">One of <see cref="Cli.ExitCode"/>.</param>
/// <param name="output">What a program that has failed has said itself: shown before the message, as it is.</param>
sealed class CommandFailure(int exitCode, string message, string output = "") : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public string Output { get; } = output;

    public static CommandFailure Usage(string message) => new(Cli.ExitCode.Usage, message);
}
