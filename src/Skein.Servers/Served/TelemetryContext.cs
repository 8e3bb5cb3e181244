using System.Reflection;
using System.Runtime.Loader;

namespace Skein;

/// <summary>
/// Where the SDK of OpenTelemetry is loaded that sends what <c>skein serve --otlp</c> is asked for. The application may have its own, of any version:
/// neither sees the other. What both listen to (<see cref="System.Diagnostics.ActivitySource"/>, <see cref="System.Diagnostics.Metrics.Meter"/>) is the framework's.
/// </summary>
sealed class TelemetryContext : AssemblyLoadContext
{
    static readonly string Folder = Path.Combine(Path.GetDirectoryName(typeof(TelemetryContext).Assembly.Location)!, "telemetry");

    TelemetryContext()
        : base("skein-telemetry")
    {
    }

    /// <summary>Sends from now on, until it is disposed of; then what is left.</summary>
    /// <param name="server">The name of the server, which is that of the service.</param>
    /// <param name="id">Of this process.</param>
    /// <param name="collector">Its URL, or <see cref="FromEnvironment"/>.</param>
    /// <param name="say">Is told when nothing can be sent.</param>
    public static IDisposable Start(string server, string id, string collector, Action<string>? say)
    {
        var start = new TelemetryContext().LoadFromAssemblyPath(Path.Combine(Folder, "skein-telemetry.dll")).GetType("Skein.Telemetry.Exports")!.GetMethod("Start")!;
        return start.CreateDelegate<Func<string, string, Uri?, Action<string>?, IDisposable>>()(server, id, collector == FromEnvironment ? null : new(collector), say);
    }

    /// <summary>The collector is where the standard's environment variables say.</summary>
    public const string FromEnvironment = "env";

    // All else is of the framework, and there once.
    protected override Assembly? Load(AssemblyName assemblyName) =>
        Path.Combine(Folder, assemblyName.Name + ".dll") is var path && File.Exists(path) ? LoadFromAssemblyPath(path) : null;
}
