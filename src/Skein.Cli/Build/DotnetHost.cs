using System.Runtime.InteropServices;

namespace Skein.Cli;

/// <summary>The program <c>dotnet</c> whose runtime runs this command: it builds and runs the user's applications too.</summary>
static class DotnetHost
{
    public static string Path { get; } = Find();

    static string Find()
    {
        // …/dotnet/shared/Microsoft.NETCore.App/10.0.x/, also where skein was started by an executable of its own.
        var root = new DirectoryInfo(RuntimeEnvironment.GetRuntimeDirectory()).Parent?.Parent?.Parent?.FullName;
        var host = root is null ? null : System.IO.Path.Combine(root, "dotnet");
        return File.Exists(host) ? host : throw new CommandFailure(ExitCode.Unavailable, $"there is no 'dotnet' beside the runtime in {root}; install the .NET SDK.");
    }
}
