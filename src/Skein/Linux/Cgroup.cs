using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A control group of its own for one process and all it starts: limits that hold for them together, the memory they use, and whether
/// the kernel killed one of them for it. In version 1 it is a folder in the tree of each controller, in version 2 a single one.
/// </summary>
[SupportedOSPlatform("linux")]
sealed partial class Cgroup : IDisposable
{
    static readonly ConcurrentDictionary<string, bool> Swept = new();
    static int _count;

    readonly List<Part> _parts = [];
    readonly List<(string File, int Descriptor)> _join = [];

    Cgroup()
    {
    }

    /// <summary>Version 2: the descriptor of the folder, for a process that is born in it. -1 in version 1.</summary>
    public int BirthDescriptor { get; private set; } = -1;

    /// <summary>Version 1: the files to which a process writes "0" to join.</summary>
    public IReadOnlyList<(string File, int Descriptor)> JoinDescriptors => _join;

    /// <summary>The files to which the number of a running process is written to make it a member.</summary>
    public IEnumerable<string> MemberFiles => _parts.Select(p => $"{p.Folder}/cgroup.procs").Distinct();

    /// <summary>In bytes, at this moment; null where memory is not accounted.</summary>
    public long? MemoryUsage => ReadNumber("memory", "memory.usage_in_bytes", "memory.current");

    /// <summary>In bytes; null where memory is not accounted (or the kernel is older than 5.19, in version 2).</summary>
    public long? PeakMemory => ReadNumber("memory", "memory.max_usage_in_bytes", "memory.peak");

    /// <summary>How many of its processes the kernel killed because the group was at its limit.</summary>
    public int OutOfMemoryKills
    {
        get
        {
            if (Find("memory") is not { } part)
                return 0;
            foreach (var line in part.Read(part.Version == 1 ? "memory.oom_control" : "memory.events").Split('\n'))
            {
                if (line.StartsWith("oom_kill ", StringComparison.Ordinal))
                    return int.Parse(line.AsSpan(9), CultureInfo.InvariantCulture);
            }

            return 0;
        }
    }

    /// <summary>The numbers of its processes.</summary>
    public IReadOnlyList<int> MemberIds
    {
        get
        {
            var ids = new List<int>();
            foreach (var line in _parts[0].Read("cgroup.procs").Split('\n'))
            {
                if (int.TryParse(line, CultureInfo.InvariantCulture, out var id))
                    ids.Add(id);
            }

            return ids;
        }
    }

    /// <summary>Makes a group beneath our own. Memory is always accounted where it can be.</summary>
    /// <param name="reason">Why there is none.</param>
    public static Cgroup? TryCreate(CgroupLimits limits, out string? reason)
    {
        var group = new Cgroup();
        try
        {
            group.Create(limits);
            reason = null;
            return group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            group.Dispose();
            reason = e.Message;
            return null;
        }
    }

    /// <summary>Kills its processes, also those that they start meanwhile. Returns when all have got the signal.</summary>
    public void KillAll()
    {
        if (_parts.Count == 0 || (_parts[0].Version == 2 && _parts[0].TryWrite("cgroup.kill", "1")))
            return;
        var killed = new HashSet<int>();
        for (var round = 0; round < 1000; round++)
        {
            var grown = false;
            foreach (var id in MemberIds)
                grown |= !killed.Contains(id) && KillMember(id) && killed.Add(id);
            if (!grown)
                return;
        }
    }

    /// <summary>Kills what is in it and removes it. What cannot be removed within a second is left to the next process that makes groups here.</summary>
    public void Dispose()
    {
        if (_parts.Count > 0)
            KillAll();
        foreach (var (_, descriptor) in _join)
            _ = Libc.Close(descriptor);
        _join.Clear();
        if (BirthDescriptor >= 0)
            _ = Libc.Close(BirthDescriptor);
        BirthDescriptor = -1;
        foreach (var part in _parts)
        {
            // Busy until the last member has not only died but has been waited for: by whom, and so when, is not for us to know, and version 1
            // has nothing to wait on.
            for (var attempt = 0; attempt < 1000 && RemoveFolder(part.Folder) < 0 && Marshal.GetLastPInvokeError() == Busy; attempt++)
                Thread.Sleep(1);
        }

        _parts.Clear();
    }

    void Create(CgroupLimits limits)
    {
        var name = CgroupTree.NamePrefix + Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
        if (Add("memory", name, limits.Memory is not null) is { } memory && limits.Memory is { } bytes)
        {
            memory.Write(memory.Version == 1 ? "memory.limit_in_bytes" : "memory.max", bytes);

            // Swap is not accounted everywhere; without swap the limit above is enough.
            memory.TryWrite(memory.Version == 1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max", memory.Version == 1 ? $"{bytes}" : "0");
        }

        if (limits.Processes is { } processes)
            Add("pids", name, true)!.Write("pids.max", processes);
        if (limits.Processors is { } processors)
        {
            const int Period = 100_000;
            var cpu = Add("cpu", name, true)!;
            var quota = (long)(processors * Period);
            if (cpu.Version == 1)
            {
                cpu.Write("cpu.cfs_period_us", Period);
                cpu.Write("cpu.cfs_quota_us", quota);
            }
            else
            {
                cpu.Write("cpu.max", $"{quota} {Period}");
            }
        }

        if (_parts.Count == 0)
            throw new IOException("There is no controller of control groups for this process.");
    }

    Part? Add(string controller, string name, bool required)
    {
        if (CgroupTree.Find(controller) is not var (above, version))
            return required ? throw new IOException($"The controller '{controller}' of control groups is not available to this process.") : null;
        var folder = $"{above}/{name}";
        var part = new Part(controller, version, folder);
        if (version == 2 && _parts.Find(p => p.Version == 2) is { } other)
        {
            if (other.Folder != folder)
                throw new IOException($"The controllers '{controller}' and '{other.Controller}' are not available in one control group.");
            _parts.Add(part);
            return part;
        }

        Sweep(above);
        Directory.CreateDirectory(folder);
        _parts.Add(part);
        if (version == 2)
            BirthDescriptor = ProcessFile.Open(folder, Libc.CloseOnExec);
        else
            _join.Add(($"{folder}/cgroup.procs", ProcessFile.Open($"{folder}/cgroup.procs", Libc.CloseOnExec | WriteOnly)));
        return part;
    }

    Part? Find(string controller) => _parts.Find(p => p.Controller == controller);

    long? ReadNumber(string controller, string version1, string version2) =>
        Find(controller) is { } part && long.TryParse(part.Read(part.Version == 1 ? version1 : version2), CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The descriptor is taken first and the membership looked at again, so the number cannot mean another process.</summary>
    bool KillMember(int id)
    {
        var descriptor = ProcessDescriptor.Open(id);
        if (descriptor < 0)
            return false;
        var killed = MemberIds.Contains(id) && ProcessDescriptor.Signal(descriptor, ProcessDescriptor.SIGKILL);
        _ = Libc.Close(descriptor);
        return killed;
    }

    /// <summary>Removes the groups of processes that ended without doing so, once for each folder.</summary>
    static void Sweep(string above)
    {
        if (!Swept.TryAdd(above, true))
            return;
        foreach (var folder in Directory.EnumerateDirectories(above, "skein-*"))
        {
            if (!CgroupTree.IsLeftOver(Path.GetFileName(folder)))
                continue;
            using var group = new Cgroup();
            group._parts.Add(new("", File.Exists(folder + "/cgroup.events") ? 2 : 1, folder));
        }
    }

    /// <summary>The group in the tree of one controller.</summary>
    sealed record Part(string Controller, int Version, string Folder)
    {
        public string Read(string file)
        {
            try
            {
                return File.ReadAllText($"{Folder}/{file}").TrimEnd('\n');
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }

        public void Write(string file, object value) => File.WriteAllText($"{Folder}/{file}", $"{value}");

        public bool TryWrite(string file, string value)
        {
            try
            {
                Write(file, value);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    const int WriteOnly = 1, Busy = 16;

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RemoveFolder(string path);
}
