using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Skein.Cli;

/// <summary>How the command goes on inside of the user's application, in the place of its <c>Main</c>.</summary>
static class ApplicationHook
{
    public const string HooksVariable = "DOTNET_STARTUP_HOOKS";

    /// <summary>The number of the process that is meant; it stays the same when the process is replaced.</summary>
    public const string Variable = "SKEIN_COMMAND";

    /// <summary>What the workers need to find the command's own code too: the hook again, before Skein's.</summary>
    public static IReadOnlyDictionary<string, string> OfWorkers { get; } = new Dictionary<string, string> { [HooksVariable] = typeof(ApplicationHook).Assembly.Location };

    /// <summary>Whether this process is the user's application already.</summary>
    public static bool IsInside { get; private set; }

    /// <summary>Replaces this process by the application, with the same command line; does not return where that succeeds.</summary>
    public static CommandFailure Enter(string dll) => Replacement.By(
        DotnetHost.Path,
        [dll, .. Environment.GetCommandLineArgs()[1..]],
        (HooksVariable, typeof(ApplicationHook).Assembly.Location),
        (Variable, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Carries out the command line here and ends the process.</summary>
    [SuppressMessage("ApiDesign", "RS0030", Justification = "A startup hook has no other way to keep the application's Main from running.")]
    public static void GoOn()
    {
        IsInside = true;
        Environment.Exit(Program.Main(Environment.GetCommandLineArgs()[1..]).GetAwaiter().GetResult());
    }
}
