namespace Skein.Cli;

/// <summary>Carries out <c>skein serve APP</c>: builds the application if need be, and becomes the program that serves it.</summary>
static class ServeCommand
{
    public static async Task<int> RunAsync(ServeRequest request)
    {
        var dll = await Application.DllOfAsync(request.File, CancellationToken.None).ConfigureAwait(false);
        var id = request.Settings.LastOrDefault(setting => setting.StartsWith("id=", StringComparison.Ordinal))?[3..] ?? Path.GetFileNameWithoutExtension(dll);
        if (id.StartsWith('.') || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw CommandFailure.Usage($"a server's name has letters, digits, '.', '-' and '_'; '{id}' is none. --id gives another.");
        var control = RunFolder.SocketOf(id);
        RunFolder.Make(control);
        throw ServeProgram.Become("prefork", [$"application={dll}", $"control={control}", $"keys={KeyFolder.Of(id)}", $"id={id}", .. request.Settings], request.Arguments);
    }
}

/// <param name="File">The application.</param>
/// <param name="Settings">What the options say, as the serving program reads them.</param>
/// <param name="Arguments">Those of the application.</param>
sealed record ServeRequest(string File, IReadOnlyList<string> Settings, string[] Arguments);
