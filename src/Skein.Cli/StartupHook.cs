using System.Globalization;
using System.Runtime.Loader;
using Skein.Cli;

/// <summary>
/// The runtime calls this before an application's <c>Main</c> when <c>DOTNET_STARTUP_HOOKS</c> names this assembly. So the command goes on
/// inside of the user's application: the entry assembly and its dependencies are the user's, and so are those of the workers, which are
/// the same application again. Main does not run by itself. In a worker it only tells where the command's assemblies are.
/// </summary>
static class StartupHook
{
    public static void Initialize()
    {
        var folder = Path.GetDirectoryName(typeof(StartupHook).Assembly.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            Path.Combine(folder, name.Name + ".dll") is var path && File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
        var isForUs = Environment.GetEnvironmentVariable(ApplicationHook.Variable) == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (!isForUs)
            return; // a worker: Skein's own hook comes next

        // What the application starts itself is nothing of ours, though it inherits the environment.
        Environment.SetEnvironmentVariable(ApplicationHook.Variable, null);
        ApplicationHook.HideFromChildren();
        ApplicationHook.GoOn();
    }
}
