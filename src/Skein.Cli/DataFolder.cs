namespace Skein.Cli;

/// <summary>What is kept for good: in <c>$SKEIN_HOME</c>, else <c>$XDG_DATA_HOME/skein</c>, else <c>~/.local/share/skein</c>.</summary>
static class DataFolder
{
    public static string Of(string name) => Path.Combine(Root(), name);

    /// <summary>Of <c>SKEIN_HOME</c>: what only looks there would find nothing, and not say why.</summary>
    public static void RequireNoFile()
    {
        if (Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home && File.Exists(home))
            throw new CommandFailure(ExitCode.Configuration, $"{home} is a file, and no folder. Set SKEIN_HOME to a folder that can be written.");
    }

    static string Root() =>
        Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home ? home
        : Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? Path.Combine(data, "skein")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share", "skein");
}
