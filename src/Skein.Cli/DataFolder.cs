namespace Skein.Cli;

/// <summary>What is kept for good: in <c>$SKEIN_HOME</c>, else <c>$XDG_DATA_HOME/skein</c>, else <c>~/.local/share/skein</c>.</summary>
static class DataFolder
{
    public static string Of(string name) => Path.Combine(Root(), name);

    static string Root() =>
        Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home ? home
        : Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? Path.Combine(data, "skein")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share", "skein");
}
