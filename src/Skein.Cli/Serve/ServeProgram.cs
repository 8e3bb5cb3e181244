namespace Skein.Cli;

/// <summary>
/// The program that this command becomes to serve: only serving needs ASP.NET Core's shared framework, so it has files of its own in the
/// folder <c>serve</c> beside the command, and <c>skein run</c> and <c>skein map</c> start without it.
/// </summary>
static class ServeProgram
{
    static string Dll => Path.Combine(Path.GetDirectoryName(typeof(ServeProgram).Assembly.Location)!, "serve", "skein-serve.dll");

    /// <summary>The same inside of an application, whose functions are to be handlers, in the place of its <c>Main</c>.</summary>
    public static CommandFailure Enter(string application, string what, IEnumerable<string> settings) => Replacement.By(
        DotnetHost.Path,
        [application, what, .. settings],
        (ApplicationHook.HooksVariable, Dll),
        ("SKEIN_SERVE", Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Does not return where it succeeds.</summary>
    /// <param name="what">What is served, which is the program's first word.</param>
    /// <param name="settings">As <c>NAME=VALUE</c>.</param>
    /// <param name="arguments">Of the application.</param>
    public static CommandFailure Become(string what, IEnumerable<string> settings, params IReadOnlyList<string> arguments) =>
        Replacement.By(DotnetHost.Path, arguments.Count == 0 ? [Dll, what, .. settings] : [Dll, what, .. settings, "--", .. arguments]);
}
