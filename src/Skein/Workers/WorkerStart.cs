using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// How a worker is started: the application itself, again, with Skein as its startup hook. The runtime runs the hook before
/// <c>Main</c>, and it never returns. So a worker has the application's own files, settings, runtime and entry assembly, and needs
/// nothing of it: no call in Main, no second executable. Works with <c>dotnet app.dll</c>, an application host, file-based,
/// self-contained and single-file applications.
/// </summary>
static class WorkerStart
{
    public const string HooksVariable = "DOTNET_STARTUP_HOOKS";

    const int MemoryTarget = 3, ControlTarget = 4;   // the first descriptors after the standard three

    static readonly (string Program, string[] Arguments) Command = FindCommand();

    /// <summary>How a worker is started that connects by a named pipe.</summary>
    /// <exception cref="PlaceException">The application cannot be started a second time.</exception>
    public static ProcessStartInfo Describe(string id, WorkerPipe pipe, ProcessOptions options)
    {
        Verify();
        var start = new ProcessStartInfo(Command.Program, Command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
            WorkingDirectory = options.WorkingDirectory ?? "",
        };
        foreach (var (name, value) in Environment($"{StartupHook.Pipe}:{pipe.Secret}:{id}:{pipe.Name}", options, limitHeap: true))
            start.Environment[name] = value;
        return start;
    }

    /// <summary>Starts a worker; it answers on the memory's ring of results when it is ready.</summary>
    /// <exception cref="PlaceException">The operating system refused, or the application cannot be started a second time.</exception>
    [SupportedOSPlatform("linux")]
    public static ChildProcess Start(string id, WorkerMemory memory, DescriptorSocket control, int output, int errors, ProcessOptions options, Cgroup? cgroup)
    {
        Verify();

        // The caller's standard input is the caller's: a function that reads it finds nothing there.
        using var nothing = File.OpenHandle("/dev/null");
        var request = new SpawnRequest(Command.Program, Command.Arguments)
        {
            Environment = Environment(
                string.Create(CultureInfo.InvariantCulture, $"{MemoryTarget}:{ControlTarget}:{System.Environment.ProcessId}:{id}"), options, limitHeap: cgroup is null),
            WorkingDirectory = options.WorkingDirectory,
            Descriptors = [((int)nothing.DangerousGetHandle(), 0), (memory.Descriptor, MemoryTarget), (control.Descriptor, ControlTarget), (output, 1), (errors, 2)],
            DieWithParent = false,   // it watches the parent itself, and so has time to take what it has started along
            WakeWithoutParent = true,
            Niceness = options.Niceness,
            Processors = options.Processors,
            Cgroup = cgroup,
        };
        try
        {
            return Spawner.Start(request);
        }
        catch (LinuxException error)
        {
            throw new PlaceException($"Worker {id} could not be started ({Command.Program}): {error.Message}", error);
        }
    }

    static void Verify()
    {
        if (AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var supported) && !supported)
        {
            throw new PlaceException(
                "No worker process can be started: this application was built with StartupHookSupport=false (trimming sets it). " +
                "Set <StartupHookSupport>true</StartupHookSupport> in its project, or use Place.Thread.");
        }

        ModuleCheck.Verify();
    }

    static List<KeyValuePair<string, string>> Environment(string request, ProcessOptions options, bool limitHeap)
    {
        var variables = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        foreach (var (name, value) in options.Environment)
            variables[name] = value;
        var hook = typeof(WorkerStart).Assembly.Location;
        if (hook.Length == 0)
            hook = typeof(WorkerStart).Assembly.GetName().Name!;   // in a single file: found by name
        variables[HooksVariable] = variables.TryGetValue(HooksVariable, out var others) && others.Length > 0 ? $"{others}{Path.PathSeparator}{hook}" : hook;
        variables[StartupHook.Variable] = request;
        variables.TryAdd("DOTNET_gcConcurrent", "0");        // one thread less in each worker; its pauses are nobody else's
        variables.TryAdd("DOTNET_TieredPGO", "0");           // instrumented code is slower for the first tasks, which are most a worker sees
        if (options.MemoryLimit is { } limit && limitHeap)
            variables["DOTNET_GCHeapHardLimit"] = limit.ToString("x", CultureInfo.InvariantCulture);
        return [.. variables];
    }

    static (string, string[]) FindCommand()
    {
        var host = System.Environment.ProcessPath
            ?? throw new PlaceException("No worker process can be started: the path of this program is not known.");
        if (Path.GetFileNameWithoutExtension(host) != "dotnet")
            return (host, []);
        var application = System.Environment.GetCommandLineArgs()[0];
        var given = OptionsOfHost();
        var settings = Path.ChangeExtension(application, ".runtimeconfig.json");
        var dependencies = (AppContext.GetData("APP_CONTEXT_DEPS_FILES") as string)?.Split(';').FirstOrDefault();
        if (File.Exists(settings))
            given.TryAdd("--runtimeconfig", settings);
        if (File.Exists(dependencies))
            given.TryAdd("--depsfile", dependencies);
        return (host, ["exec", .. given.SelectMany(static option => new[] { option.Key, option.Value }), application]);
    }

    // Who starts an application may say where its settings are: `dotnet test` does. The application itself is not told, but the system knows.
    static Dictionary<string, string> OptionsOfHost()
    {
        Dictionary<string, string> options = [];
        if (!OperatingSystem.IsLinux())
            return options;
        var words = File.ReadAllText("/proc/self/cmdline").Split('\0');
        for (var i = words is [_, "exec", ..] ? 2 : 1; i + 1 < words.Length && words[i].StartsWith("--", StringComparison.Ordinal); i += 2)
        {
            if (words[i] is "--runtimeconfig" or "--depsfile" or "--additionalprobingpath" or "--additional-deps")
                options[words[i]] = Path.GetFullPath(words[i + 1]);
            else if (words[i] is "--roll-forward" or "--fx-version")
                options[words[i]] = words[i + 1];
        }

        return options;
    }
}
