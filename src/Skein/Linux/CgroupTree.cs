using System.Globalization;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Where this process may make control groups: beneath its own. Version 1 mounts a tree for each controller, version 2 one tree for
/// all; a machine may have both, with a controller in either.
/// </summary>
[SupportedOSPlatform("linux")]
static class CgroupTree
{
    /// <summary>The folder beneath which groups with this controller are made, and its version; null where there is none.</summary>
    public static (string Folder, int Version)? Find(string controller)
    {
        var own = File.ReadAllLines("/proc/self/cgroup");
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            // 35 24 0:30 /root /mount/point options [tags] - type source options
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            var version = fields[separator + 1] switch { "cgroup" => 1, "cgroup2" => 2, _ => 0 };
            if (version == 0 || (version == 1 && !fields[^1].Split(',').Contains(controller)))
                continue;
            var folder = OwnFolder(own, version == 1 ? controller : "", fields[3], fields[4]);
            if (version == 1)
                return (folder, 1);
            if (Has(folder, "cgroup.controllers", controller) && Prepare(folder, fields[4], controller) is { } prepared)
                return (prepared, 2);
        }

        return null;
    }

    /// <summary>The path of this process in a tree, seen through the mount (which in a container shows only a part of the tree).</summary>
    static string OwnFolder(string[] own, string controller, string root, string mount)
    {
        foreach (var line in own)
        {
            var fields = line.Split(':', 3);
            if (!fields[1].Split(',').Contains(controller))
                continue;
            var path = fields[2];
            if (root != "/")
                path = path.StartsWith(root, StringComparison.Ordinal) ? path[root.Length..] : "/";
            return Path.TrimEndingDirectorySeparator(mount + "/" + path.Trim('/'));
        }

        return mount;
    }

    /// <summary>
    /// In version 2 a group that has processes (ours) cannot hand controllers to groups beneath it, except the root; then the group
    /// above may have done so, and ours becomes a neighbour.
    /// </summary>
    static string? Prepare(string folder, string mount, string controller)
    {
        for (var level = 0; level < 2; level++)
        {
            if (Has(folder, "cgroup.subtree_control", controller) || Enable(folder, controller))
                return folder;
            if (folder.Length <= mount.Length)
                break;
            folder = Path.GetDirectoryName(folder)!;
        }

        return null;
    }

    static bool Enable(string folder, string controller)
    {
        try
        {
            File.WriteAllText(folder + "/cgroup.subtree_control", "+" + controller);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    static bool Has(string folder, string file, string controller) =>
        File.Exists($"{folder}/{file}") && File.ReadAllText($"{folder}/{file}").Split((char[])[' ', '\n']).Contains(controller);

    /// <summary>The start of the names of groups that this process makes: which process number space, which process, started when.</summary>
    public static string NamePrefix { get; } = string.Create(CultureInfo.InvariantCulture,
        $"skein-{NumberSpace}-{Environment.ProcessId}-{ProcessStatus.Read(Environment.ProcessId)?.StartTime}-");

    static string NumberSpace => new FileInfo("/proc/self/ns/pid").LinkTarget is { } link ? string.Concat(link.Where(char.IsAsciiDigit)) : "0";

    /// <summary>Whether a group was made by a process of this number space that is no more.</summary>
    public static bool IsLeftOver(string name)
    {
        var fields = name.Split('-');
        return fields is ["skein", var space, var id, var start, _]
            && space == NumberSpace
            && int.TryParse(id, CultureInfo.InvariantCulture, out var number)
            && ProcessStatus.Read(number)?.StartTime.ToString(CultureInfo.InvariantCulture) != start;
    }
}
