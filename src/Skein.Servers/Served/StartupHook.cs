using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Skein;

/// <summary>
/// The runtime calls this before an application's <c>Main</c> when the environment variable <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly; the name and the missing namespace are its convention. Main runs as ever: the application is changed when it builds its host.
/// </summary>
static class StartupHook
{
    const string Hooks = "DOTNET_STARTUP_HOOKS";

    public static void Initialize()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("SKEIN_SERVED") is not { } settings)
            return;
        var own = Assembly.GetExecutingAssembly();
        var folder = Path.GetDirectoryName(own.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            name.Name == own.GetName().Name ? own
            : Path.Combine(folder, name.Name + ".dll") is var path && File.Exists(path) ? context.LoadFromAssemblyPath(path)
            : null;

        // What the application starts is no worker, though it inherits the environment.
        Environment.SetEnvironmentVariable("SKEIN_SERVED", null);
        var others = Environment.GetEnvironmentVariable(Hooks)?.Split(Path.PathSeparator).Where(hook => hook != own.Location) ?? [];
        Environment.SetEnvironmentVariable(Hooks, string.Join(Path.PathSeparator, others) is { Length: > 0 } left ? left : null);
        Begin(settings);
    }

    // Compiled only when it is called: by then the assemblies that it needs can be found.
    [MethodImpl(MethodImplOptions.NoInlining)]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    static void Begin(string settings) => ServedApplication.Begin(ServedSettings.Parse(settings));
}
