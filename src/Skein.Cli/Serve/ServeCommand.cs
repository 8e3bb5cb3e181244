namespace Skein.Cli;

/// <summary>Carries out <c>skein serve APP</c>: builds the application if need be, and becomes the program that serves it.</summary>
static class ServeCommand
{
    public static async Task<int> RunAsync(ServeRequest request)
    {
        var dll = await Application.DllOfAsync(request.File, CancellationToken.None).ConfigureAwait(false);
        var name = ServerName.Take(request.Settings, dll);
        throw ServeProgram.Become("prefork", [$"application={dll}", $"keys={KeyFolder.Of(name.Id)}", .. name.Settings, .. request.Settings], request.Arguments);
    }
}

/// <param name="File">The application.</param>
/// <param name="Settings">What the options say, as the serving program reads them.</param>
/// <param name="Arguments">Those of the application.</param>
sealed record ServeRequest(string File, IReadOnlyList<string> Settings, string[] Arguments);
