using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

/// <summary>
/// The runtime calls this before an application's <c>Main</c> when <c>DOTNET_STARTUP_HOOKS</c> names this assembly. So the super-server runs
/// inside of the application whose functions are its handlers, and their workers are that application again. In a worker it only tells where
/// our assemblies are.
/// </summary>
static class StartupHook
{
    public static void Initialize()
    {
        var folder = Path.GetDirectoryName(typeof(StartupHook).Assembly.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            Path.Combine(folder, name.Name + ".dll") is var path && File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
        if (Environment.GetEnvironmentVariable("SKEIN_SERVE") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            return;
        Environment.SetEnvironmentVariable("SKEIN_SERVE", null);
        GoOn();
    }

    // Compiled only when it is called: by then the assemblies that it needs can be found.
    [MethodImpl(MethodImplOptions.NoInlining)]
    [SuppressMessage("ApiDesign", "RS0030", Justification = "A startup hook has no other way to keep the application's Main from running.")]
    static void GoOn() => Environment.Exit(Skein.Serve.Program.Main(Environment.GetCommandLineArgs()[1..]).GetAwaiter().GetResult());
}
