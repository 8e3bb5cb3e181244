namespace Skein.Cli;

/// <summary>Carries out <c>skein serve APP</c>: becomes the program that serves it, and that builds it where it is not built.</summary>
static class ServeCommand
{
    public static CommandFailure Become(ServeRequest request)
    {
        var name = ServerName.Take(request.Settings, request.File);
        return ServeProgram.Become("prefork", [$"application={request.File}", $"keys={KeyFolder.Of(name.Id)}", .. name.Settings, .. request.Settings], request.Arguments);
    }
}

/// <param name="File">The application: a dll, or a C# file or project.</param>
/// <param name="Settings">What the options say, as the serving program reads them.</param>
/// <param name="Arguments">Those of the application.</param>
sealed record ServeRequest(string File, IReadOnlyList<string> Settings, string[] Arguments);
