using System.Runtime.InteropServices;

namespace Skein.Bench;

/// <summary>What the figures were measured on.</summary>
static class Machine
{
    public static string Description { get; } = string.Join(", ",
    [
        Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        $"{Environment.ProcessorCount} processors",
        $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB",
        $"Linux {Environment.OSVersion.Version}",
        Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? "",
        $".NET {Environment.Version}",
    ]);

    /// <summary>Runnable tasks over the last minute, ours included.</summary>
    public static string Load => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    /// <summary>The commit that runs, with "+" when files differ from it; "unknown" where there is no repository.</summary>
    public static async Task<string> CommitAsync()
    {
        if (!Path.Exists(Path.Combine(Peers.Folder, "../.git")))
            return "unknown";
        var commit = await Output.OfAsync("git", "-C", Peers.Folder, "rev-parse", "--short", "HEAD");
        var changed = await Output.OfAsync("git", "-C", Peers.Folder, "status", "--porcelain", "--", ":/src", ":/bench/*.cs");
        return commit.Trim() + (changed.Length > 0 ? "+" : "");
    }

    static string? Field(string file, string name, char separator = ':') =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(separator, 2)[1].Trim();
}
