using System.Globalization;
using System.Runtime.InteropServices;
using Skein;

/// <summary>
/// The runtime calls this before an application's <c>Main</c> when the environment variable <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly; the name and the missing namespace are its convention. A process that Skein started as a worker never comes to its Main.
/// </summary>
static class StartupHook
{
    /// <summary><c>memory descriptor:control descriptor:parent:id</c>, or <c>pipe:secret:id:name of the pipe</c></summary>
    public const string Variable = "SKEIN_WORKER";

    /// <summary>The first word where the worker connects by a named pipe.</summary>
    public const string Pipe = "pipe";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } request)
            return;

        // What the worker starts is no worker, though it inherits the environment.
        Set(Variable, null);
        Set(WorkerStart.HooksVariable, OtherHooks());
        var parts = request.Split(':', 4);
        if (parts[0] == Pipe)
            StreamProgram.Run(parts[3], parts[1], parts[2]);
        else if (OperatingSystem.IsLinux() && Parse(parts[2]) == WorkerEnvironment.ParentId())
            RingProgram.Run(Parse(parts[0]), Parse(parts[1]), parts[3]);
        else if (OperatingSystem.IsLinux() && IsAbandoned(Parse(parts[1])))
            WorkerSignals.KillGroup();   // the parent has died meanwhile; what another hook has started with our environment has a parent that lives
    }

    /// <summary>The other end is gone.</summary>
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    static unsafe bool IsAbandoned(int control)
    {
        var looked = new Libc.PollDescriptor(control, Libc.PollIn);
        return Libc.Poll(&looked, 1, 0) > 0 && (looked.Returned & Libc.PollHangUp) != 0;
    }

    static void Set(string name, string? value)
    {
        Environment.SetEnvironmentVariable(name, value);
        if (OperatingSystem.IsWindows())
            return;
        _ = value is null ? WorkerEnvironment.Unset(name) : WorkerEnvironment.Set(name, value, 1);
    }

    // Ours was added last.
    static string? OtherHooks() =>
        Environment.GetEnvironmentVariable(WorkerStart.HooksVariable) is { } hooks && hooks.LastIndexOf(Path.PathSeparator) is > 0 and var end ? hooks[..end] : null;

    static int Parse(string number) => int.Parse(number, CultureInfo.InvariantCulture);
}

/// <summary>The environment as native code sees it, which on Unix is not the one that .NET shows, and the parent.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
static partial class WorkerEnvironment
{
    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)] public static partial int Unset(string name);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)] public static partial int Set(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getppid")] public static partial int ParentId();
}
