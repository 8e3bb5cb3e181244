using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein.Tests.Child;

[SupportedOSPlatform("linux")]
static partial class ParentCase
{
    /// <summary>Starts a program, prints its number, waits to be killed.</summary>
    public static int Run(string[] command)
    {
        using var child = Spawner.Start(new(ProgramPath.Find(command[0]), command[1..]));
        Console.WriteLine(child.Id);
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    /// <summary>Starts a program, and takes in whatever that leaves behind, as the parent of its orphans.</summary>
    public static int Adopt(string[] command)
    {
        const int ChildSubreaper = 36;
        if (Control(ChildSubreaper, 1) != 0)
            return 1;
        using var child = System.Diagnostics.Process.Start(command[0], command[1..]);
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    public static async Task<int> ExitCodeOf(string script)
    {
        using var child = Spawner.Start(new("/bin/sh", ["-c", script]));
        return (await child.Exited).Code;
    }

    /// <summary>What a worker does whose parent has died: here at the end of standard input.</summary>
    public static int KillOwnDescendants()
    {
        // One started by Skein, one by the framework, one that left everything but its environment.
        using var one = Spawner.Start(new("/bin/sleep", ["1000"]) { DieWithParent = false });
        using var two = System.Diagnostics.Process.Start("/bin/sh", ["-c", "(setsid sleep 1000 & echo $!); exec sleep 1000"]);
        Console.Write($"{one.Id}\n{two.Id}\n");   // at once: the shell writes to the same pipe
        _ = Console.In.ReadToEnd();
        return Descendants.KillAll(Descendants.OwnMarker!);
    }

    [LibraryImport("libc", EntryPoint = "prctl")] private static partial int Control(int option, nuint value);
}
