using System.Globalization;
using System.Runtime.InteropServices;
using Skein;

/// <summary>
/// The runtime calls this before an application's <c>Main</c> when the environment variable <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly; the name and the missing namespace are its convention. A process that Skein started as a worker never comes to its Main.
/// </summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
static class StartupHook
{
    /// <summary><c>memory descriptor:control descriptor:parent:id</c></summary>
    public const string Variable = "SKEIN_WORKER";

    public static void Initialize()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(Variable) is not { } request)
            return;

        // What the worker starts is no worker, though it inherits the environment.
        Environment.SetEnvironmentVariable(Variable, null);
        _ = WorkerEnvironment.Unset(Variable);
        var others = OtherHooks();
        Environment.SetEnvironmentVariable(WorkerStart.HooksVariable, others);
        _ = others is null ? WorkerEnvironment.Unset(WorkerStart.HooksVariable) : WorkerEnvironment.Set(WorkerStart.HooksVariable, others, 1);
        var parts = request.Split(':', 4);
        if (Parse(parts[2]) == WorkerEnvironment.ParentId())
            WorkerProgram.Run(Parse(parts[0]), Parse(parts[1]), parts[3]);
    }

    // Ours was added last.
    static string? OtherHooks() =>
        Environment.GetEnvironmentVariable(WorkerStart.HooksVariable) is { } hooks && hooks.LastIndexOf(Path.PathSeparator) is > 0 and var end ? hooks[..end] : null;

    static int Parse(string number) => int.Parse(number, CultureInfo.InvariantCulture);
}

/// <summary>The environment as native code sees it, and the parent.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
static partial class WorkerEnvironment
{
    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)] public static partial int Unset(string name);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)] public static partial int Set(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getppid")] public static partial int ParentId();
}
