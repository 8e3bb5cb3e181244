namespace Skein.Cli;

/// <summary>Carries out <c>skein serve --config FILE</c> and <c>skein serve --inetd FILE</c>: the super-server.</summary>
static class ServicesCommand
{
    public static Task<int> RunAsync(ServicesRequest request) =>
        throw new CommandFailure(ExitCode.Unavailable, $"services of a file ({request.File}) are not there yet.");
}

/// <param name="File">The configuration.</param>
/// <param name="IsInetd">It is written in the grammar of inetd, not in YAML.</param>
/// <param name="Check">Only say what is wrong with it.</param>
sealed record ServicesRequest(string File, bool IsInetd, bool Check);
