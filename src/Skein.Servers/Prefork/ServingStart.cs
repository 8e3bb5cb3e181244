using System.Collections;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>All that a worker's start needs.</summary>
[SupportedOSPlatform("linux")]
sealed record ServingStart(Release Release, ServedSettings Settings, PreforkOptions Limits, IReadOnlyList<string> Arguments, IReadOnlyList<ListeningSocket> Sockets, ServeLog Log, TimeProvider Time)
{
    /// <summary>Cancels a request that the worker of this id has been asked for, and does not have.</summary>
    public required Func<string, string, Task<CancelOutcome>> CancelElsewhere { get; init; }

    const string Hooks = "DOTNET_STARTUP_HOOKS";

    /// <summary>What is meant for the master, or would make the application ask for addresses of its own.</summary>
    static readonly string[] NotForWorkers =
        ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "ASPNETCORE_URLS", "DOTNET_URLS", "URLS",
            "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "DOTNET_HTTP_PORTS", "DOTNET_HTTPS_PORTS"];

    public SpawnRequest Request(int input, int output, int errors, int control) =>
        new(Environment.ProcessPath!, IsHost ? [Release.Dll, .. Arguments] : Arguments)
        {
            Environment = Variables(),
            WorkingDirectory = Limits.IsAsked ? null : Release.Folder,   // a program once more is where the program is
            Descriptors =
            [
                (input, 0), (output, 1), (errors, 2), (control, ServedSettings.ControlDescriptor),
                .. Sockets.Select((socket, i) => (socket.Descriptor, ServedSettings.FirstListener + i)),
            ],
            DieWithParent = false,   // it watches the master itself, and so has time to end its requests
            WakeWithoutParent = true,
        };

    /// <summary>This process runs by `dotnet`, which can run any application, and not by an executable of its own.</summary>
    static bool IsHost => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";

    List<KeyValuePair<string, string>> Variables()
    {
        var variables = new Dictionary<string, string>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        foreach (var name in NotForWorkers)
            variables.Remove(name);
        var hook = typeof(ServingStart).Assembly.Location;
        variables[Hooks] = variables.TryGetValue(Hooks, out var others) && others.Length > 0 ? $"{others}{Path.PathSeparator}{hook}" : hook;
        variables[ServedSettings.Variable] = Settings.ToString();
        return [.. variables];
    }
}
