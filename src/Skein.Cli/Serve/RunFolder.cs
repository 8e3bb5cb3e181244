namespace Skein.Cli;

/// <summary>
/// Where the control sockets of what runs are: <c>$SKEIN_HOME/run</c>, else <c>$XDG_RUNTIME_DIR/skein</c>, else <c>/run/skein</c> for root
/// and <c>/tmp/skein-USER</c> for others. Nobody else may enter it.
/// </summary>
static class RunFolder
{
    const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Of a server; of a node, where there is one of this name and no server.</summary>
    public static string SocketOf(string id)
    {
        var (server, node) = (OfServer(id), OfNode(id));
        return !File.Exists(server) && File.Exists(node) ? node : server;
    }

    public static string OfServer(string id) => Path.Combine(Root(), id + ".sock");

    public static string OfNode(string name) => Path.Combine(NodesRoot.Folder, name + ".sock");

    /// <summary>Made if need be.</summary>
    public static void Make(string socket) => MakeFolder(Path.GetDirectoryName(socket)!);

    public static void MakeForNodes() => MakeFolder(NodesRoot.Folder);

    static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder, Own);
            if (File.GetUnixFileMode(folder) != Own)
                File.SetUnixFileMode(folder, Own);   // refused where somebody else has made it
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Configuration, $"the folder {folder} cannot be used: {Why(folder)} Set SKEIN_HOME to a folder that can be written.");
        }
    }

    static string Why(string folder)
    {
        var there = folder;
        while (!Path.Exists(there))
            there = Path.GetDirectoryName(there)!;
        return !Directory.Exists(there) ? $"{there} is a file." : there == folder ? "it is another user's." : $"nothing can be made in {there}.";
    }

    /// <summary>The sockets of servers; of some the server may have been killed.</summary>
    public static IReadOnlyList<string> Servers() => In(Root());

    /// <summary>The same of nodes.</summary>
    public static IReadOnlyList<string> Nodes() => In(NodesRoot.Folder);

    static string[] In(string folder) => Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.sock").Order(StringComparer.Ordinal)] : [];

    static string Root() =>
        Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home ? Path.Combine(home, "run")
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? Path.Combine(runtime, "skein")
        : Environment.IsPrivilegedProcess ? "/run/skein"
        : Path.Combine("/tmp", $"skein-{Environment.UserName}");
}
