namespace Skein.Cli;

/// <summary>Where the keys of a server's cookies are kept: in <c>$SKEIN_HOME/keys</c>, else <c>$XDG_DATA_HOME/skein/keys</c>, else <c>~/.local/share/skein/keys</c>.</summary>
static class KeyFolder
{
    public static string Of(string server) => Path.Combine(Root(), "keys", server);

    static string Root() =>
        Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home ? home
        : Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? Path.Combine(data, "skein")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share", "skein");
}
