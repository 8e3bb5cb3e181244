namespace Skein.Cli;

/// <summary>Carries out <c>skein serve --config FILE</c> and <c>skein serve --inetd FILE</c>: becomes the super-server.</summary>
static class ServicesCommand
{
    const string ApplicationKey = "application:";

    public static async Task<int> RunAsync(ServicesRequest request)
    {
        string[] settings =
        [
            $"file={request.File}", $"grammar={(request.IsInetd ? "inetd" : "yaml")}", $"check={request.Check}",
            .. request.Check ? [] : ServerName.Take(request.Settings, request.File).Settings,
        ];
        if (request.IsInetd || ApplicationOf(request.File) is not { } application)
            throw ServeProgram.Become("services", settings);
        if (!File.Exists(application))
            throw new CommandFailure(ExitCode.NoInput, $"there is no file '{application}', which {request.File} names as the application of its handlers.");
        throw ServeProgram.Enter(await Application.DllOfAsync(application, Messages.Note, CancellationToken.None).ConfigureAwait(false), "services", settings);
    }

    // It is wanted before the file can be read in earnest: that is done inside of the application.
    static string? ApplicationOf(string file)
    {
        var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(ApplicationKey, StringComparison.Ordinal));
        var name = line?[ApplicationKey.Length..].Split(" #")[0].Trim().Trim('"', '\'');
        return string.IsNullOrEmpty(name) ? null : Path.GetFullPath(name, Path.GetDirectoryName(file)!);
    }
}

/// <param name="File">The configuration.</param>
/// <param name="IsInetd">It is written in the grammar of inetd, not in YAML.</param>
/// <param name="Check">Only say what is wrong with it.</param>
/// <param name="Settings">What the options say.</param>
sealed record ServicesRequest(string File, bool IsInetd, bool Check, IReadOnlyList<string> Settings);
