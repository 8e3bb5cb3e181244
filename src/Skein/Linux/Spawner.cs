using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Starts programs.
/// <code>
/// using var child = Spawner.Start(new(ProgramPath.Find("sort"), ["-u"]) { Descriptors = [(input, 0), (output, 1)] });
/// var status = await child.Exited;
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
static class Spawner
{
    static readonly Lazy<bool> TableWorks = new(TryTable, LazyThreadSafetyMode.PublicationOnly);
    static int _count;

    /// <summary>Returns when the program runs.</summary>
    /// <exception cref="LinuxException">It does not run: the message names the step that failed. Nothing of it is left.</exception>
    /// <exception cref="ArgumentException">A text contains a NUL character, or all of them together are too long.</exception>
    public static ChildProcess Start(SpawnRequest request)
    {
        var watcher = ChildWatcher.Shared;
        var child = Start(request, onSpawnThread: request.DieWithParent || request.WakeWithoutParent);
        watcher.Add(child);
        return child;
    }

    /// <summary>
    /// The same for a thread that starts many: it is their parent, so it must live as long as they shall, and it waits for them itself:
    /// when the descriptor is readable, it calls <see cref="ChildProcess.Reap"/>.
    /// </summary>
    public static ChildProcess StartUnwatched(SpawnRequest request) => Start(request, onSpawnThread: false);

    static ChildProcess Start(SpawnRequest request, bool onSpawnThread)
    {
        var marker = Descendants.NewMarker(Interlocked.Increment(ref _count));
        var environment = Descendants.Mark(request.Environment, marker);
        var (id, descriptor) = TableWorks.Value ? StartByTable(request, environment, onSpawnThread) : PosixSpawn.Start(request, environment);
        return new(id, descriptor, marker, request.Cgroup);
    }

    static (int Id, int Descriptor) StartByTable(SpawnRequest request, IReadOnlyCollection<string> environment, bool onSpawnThread)
    {
        using var table = new SystemCallTable();
        SpawnTable.Fill(table, request, environment);
        var subject = $"start of {request.Program}";
        var group = request.Cgroup?.BirthDescriptor ?? -1;
        return onSpawnThread ? SpawnThread.Run(table, subject, group) : table.Run(subject, group);
    }

    /// <summary>Tries the system calls that an old kernel lacks or a sandbox may refuse, in a child that ends at once.</summary>
    static bool TryTable()
    {
        if (!SystemCallTable.IsSupported)
            return false;
        using var table = new SystemCallTable();
        SpawnTable.FillProbe(table);
        try
        {
            var (_, descriptor) = table.Run("first start of a program");
            ProcessDescriptor.Wait(descriptor, out _, out _);
            _ = Libc.Close(descriptor);
            return true;
        }
        catch (LinuxException e) when (e.Error is not (Libc.EAGAIN or Libc.EMFILE or OutOfMemory))
        {
            return false;
        }
    }

    const int OutOfMemory = 12;
}
