using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Skein.Cli;

/// <summary>How the command goes on inside of the user's application, in the place of its <c>Main</c>.</summary>
static class ApplicationHook
{
    public const string HooksVariable = "DOTNET_STARTUP_HOOKS";

    /// <summary>The number of the process that is meant; it stays the same when the process is replaced.</summary>
    public const string Variable = "SKEIN_COMMAND";

    static readonly string Ours = typeof(ApplicationHook).Assembly.Location;
    static bool _isHidden;

    /// <summary>What the workers need to find the command's own code too: the hook again, after the user's own and before Skein's.</summary>
    public static IReadOnlyDictionary<string, string> OfWorkers() => new Dictionary<string, string> { [HooksVariable] = WithOurs };

    static string WithOurs => Environment.GetEnvironmentVariable(HooksVariable) is { Length: > 0 } users ? $"{users}{Path.PathSeparator}{Ours}" : Ours;

    /// <summary>The hook has brought this code here; what is started from here has no use for it, and keeps the user's own.</summary>
    public static void HideFromChildren()
    {
        if (_isHidden)
            return;
        _isHidden = true;
        var users = Environment.GetEnvironmentVariable(HooksVariable)?.Split(Path.PathSeparator).Where(hook => hook != Ours) ?? [];
        Environment.SetEnvironmentVariable(HooksVariable, string.Join(Path.PathSeparator, users) is { Length: > 0 } left ? left : null);
    }

    /// <summary>Whether this process is the user's application already.</summary>
    public static bool IsInside { get; private set; }

    /// <summary>Replaces this process by the application, with the same command line; does not return where that succeeds.</summary>
    public static CommandFailure Enter(string dll) => Replacement.By(
        DotnetHost.Path,
        [dll, .. Environment.GetCommandLineArgs()[1..]],
        (HooksVariable, WithOurs),
        (Variable, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Carries out the command line here and ends the process.</summary>
    [SuppressMessage("ApiDesign", "RS0030", Justification = "A startup hook has no other way to keep the application's Main from running.")]
    public static void GoOn()
    {
        IsInside = true;
        Environment.Exit(Program.Main(Environment.GetCommandLineArgs()[1..]).GetAwaiter().GetResult());
    }
}
