using System.Runtime.Versioning;

namespace Skein.Tests.Child;

[SupportedOSPlatform("linux")]
static class CgroupCase
{
    /// <summary>Makes a group with a process that outlives this one, prints both, waits to be killed.</summary>
    public static int Hold()
    {
        using var group = Create();
        using var child = Spawner.Start(new("/bin/sleep", ["1000"]) { DieWithParent = false, Cgroup = group });
        Console.WriteLine(Path.GetDirectoryName(group.MemberFiles.First()));
        Console.WriteLine(child.Id);
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    /// <summary>Makes a group and removes it.</summary>
    public static int Make()
    {
        Create().Dispose();
        return 0;
    }

    static Cgroup Create() => Cgroup.TryCreate(new() { Memory = 64 << 20 }, out var reason) ?? throw new InvalidOperationException(reason);
}
