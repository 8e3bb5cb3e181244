using System.Runtime.Versioning;

namespace Skein.Tests.Child;

/// <summary>Starts many programs, good and bad ones, and prints what was left of them.</summary>
[SupportedOSPlatform("linux")]
static class SpawnManyCase
{
    public static int Run(int count)
    {
        Start(100);
        var (descriptors, maps) = (Count("/proc/self/fd"), Maps());
        Start(count);
        var zombies = ProcessStatus.ReadAll().Count(p => p.Parent == Environment.ProcessId);
        Console.WriteLine($"descriptors {Count("/proc/self/fd") - descriptors}");
        Console.WriteLine($"mappings {Maps() - maps}");
        Console.WriteLine($"children {zombies}");
        return 0;
    }

    static void Start(int count)
    {
        using var ended = new CountdownEvent(count);
        for (var i = 0; i < count; i++)
        {
            using var child = Spawner.Start(new("/bin/true", []));
            child.OnExit(_ => ended.Signal());
            try
            {
                _ = Spawner.Start(new("/bin/true", []) { WorkingDirectory = "/no/such/folder" });
                throw new InvalidOperationException("It started in a folder that does not exist.");
            }
            catch (LinuxException)
            {
                // As it should be.
            }
        }

        ended.Wait();
    }

    static int Count(string folder) => Directory.EnumerateFileSystemEntries(folder).Count();

    /// <summary>Anonymous mappings as large as a table; those of the collector and the compiler come and go.</summary>
    static int Maps() => File.ReadLines("/proc/self/maps").Count(line =>
    {
        var range = line.Split(' ')[0].Split('-');
        return Convert.ToInt64(range[1], 16) - Convert.ToInt64(range[0], 16) == 8 << 20;
    });
}
