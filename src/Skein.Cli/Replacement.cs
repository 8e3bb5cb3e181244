using System.Collections;
using System.Runtime.InteropServices;

namespace Skein.Cli;

/// <summary>Lets another program go on in the place of this process: same number, same streams, same parent.</summary>
static class Replacement
{
    /// <summary>Does not return where it succeeds.</summary>
    /// <param name="variables">To add to the environment.</param>
    public static CommandFailure By(string program, IEnumerable<string> arguments, params ReadOnlySpan<(string Name, string Value)> variables)
    {
        var environment = new Dictionary<string, string?>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            environment[(string)variable.Key] = (string?)variable.Value;
        foreach (var (name, value) in variables)
            environment[name] = value;
        RemoveRuntimeFiles();
        _ = Native.Execute(program, [program, .. arguments, null], [.. environment.Select(pair => $"{pair.Key}={pair.Value}"), null]);
        var error = Marshal.GetLastPInvokeError();
        return new(ExitCode.NotExecutable, $"{program} cannot be executed: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    // By these files debuggers and tracers reach a .NET process. A runtime removes its own when it ends, which ours does not: it is replaced.
    static void RemoveRuntimeFiles()
    {
        try
        {
            foreach (var kind in (string[])["dotnet-diagnostic", "clr-debug-pipe"])
            {
                foreach (var file in Directory.EnumerateFiles(Path.GetTempPath(), $"{kind}-{Environment.ProcessId}-*"))
                    File.Delete(file);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A temporary folder that cannot be read or written is no reason not to go on.
        }
    }
}
