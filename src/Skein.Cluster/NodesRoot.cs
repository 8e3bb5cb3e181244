namespace Skein;

/// <summary>Where the nodes of this user and machine are, if nothing else is said. The command has this file too.</summary>
static class NodesRoot
{
    public static string Folder =>
        Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home ? Path.Combine(home, "nodes")
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? Path.Combine(runtime, "skein-nodes")
        : Environment.IsPrivilegedProcess ? "/run/skein-nodes"
        : Path.Combine("/tmp", $"skein-nodes-{Environment.UserName}");
}
