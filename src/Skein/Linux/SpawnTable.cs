using System.Runtime.Versioning;

namespace Skein;

/// <summary>The system calls by which a new process becomes what a <see cref="SpawnRequest"/> asks for, in order (x64).</summary>
[SupportedOSPlatform("linux")]
static unsafe class SpawnTable
{
    public static void Fill(SystemCallTable table, SpawnRequest request, IReadOnlyCollection<string> environment)
    {
        var program = table.Text(request.Program);
        if (request.NewGroup)
            table.Add("setpgid", SetGroup);
        JoinCgroup(table, request.Cgroup);
        if (request.Processors is { } processors)
            SetProcessors(table, processors);
        if (request.Niceness is { } niceness)
            table.Add($"setpriority to {niceness}", SetPriority, 0, 0, niceness);
        if (request.WorkingDirectory is { } folder)
            table.Add($"chdir to {folder}", ChangeFolder, table.Text(folder));
        if (!request.InheritDescriptors)
            table.Add("close_range", CloseRange, 3, int.MaxValue, CloseRangeOnExec);
        MapDescriptors(table, request.Descriptors);
        foreach (var (resource, value) in request.Limits)
            table.Add($"prlimit of {resource} to {value}", SetLimit, 0, (nint)resource, table.Value(new Limit(value, value)));
        if (request.User is { } user)
            Become(table, user);
        if (request.DieWithParent || request.WakeWithoutParent)
        {
            // After the change of user, which would take the wish back. Had this process died before the child could ask to be told, then the child would see another parent.
            var signal = request.DieWithParent ? ProcessDescriptor.SIGKILL : ProcessDescriptor.SIGCONT;
            table.Add("prctl(PR_SET_PDEATHSIG)", ProcessControl, SetParentDeathSignal, signal)
                .Expect("getppid: the parent has ended", GetParent, System.Environment.ProcessId);
        }

        ResetSignals(table);

        var arguments = table.Texts([request.Name ?? request.Program, .. request.Arguments]);
        var own = request.NumberVariable is { } variable ? OwnNumber(table, variable) : 0;
        table.Add("execve", Execute, program, arguments, table.Texts(environment, own));
    }

    /// <summary>Only the calls that may be lacking, and the end.</summary>
    public static void FillProbe(SystemCallTable table) =>
        table.Add("close_range", CloseRange, 3, int.MaxValue, CloseRangeOnExec).Add("exit_group", Exit);

    /// <summary>Version 1 of control groups has one tree for each controller; in version 2 the child is born in its group.</summary>
    static void JoinCgroup(SystemCallTable table, Cgroup? cgroup)
    {
        foreach (var (file, descriptor) in cgroup?.JoinDescriptors ?? [])
            table.Add($"write to {file}", Write, descriptor, table.Text("0"), 1);
    }

    /// <summary>Groups first: who is no longer root may not choose them.</summary>
    static void Become(SystemCallTable table, UserAccount user)
    {
        var groups = (int*)table.Allocate(Math.Max(1, user.Groups.Count) * sizeof(int));
        for (var i = 0; i < user.Groups.Count; i++)
            groups[i] = user.Groups[i];
        table.Add($"setgroups of user {user.Name}", SetGroups, user.Groups.Count, (nint)groups)
            .Add($"setgid to {user.Group}", SetGroupId, user.Group)
            .Add($"setuid to {user.Id} ({user.Name})", SetUserId, user.Id);
    }

    /// <summary>The kernel writes a process's own number as text where /proc/self points.</summary>
    static nint OwnNumber(SystemCallTable table, string variable)
    {
        const int Digits = 16;
        var name = System.Text.Encoding.UTF8.GetBytes(variable + "=");
        var text = table.Allocate(name.Length + Digits);
        name.CopyTo(new Span<byte>(text, name.Length));
        table.Add("readlink of /proc/self", ReadLink, table.Text("/proc/self"), (nint)text + name.Length, Digits - 1);
        return (nint)text;
    }

    static void SetProcessors(SystemCallTable table, IReadOnlyList<int> processors)
    {
        var highest = 0;
        foreach (var processor in processors)
            highest = Math.Max(highest, processor);
        var size = ((highest / 64) + 1) * sizeof(ulong);
        var mask = (ulong*)table.Allocate(size);
        foreach (var processor in processors)
            mask[processor / 64] |= 1UL << (processor % 64);
        table.Add($"sched_setaffinity to {string.Join(',', processors)}", SetAffinity, 0, size, (nint)mask);
    }

    /// <summary>Each source is first copied to a number above all targets, so that no copy destroys a source that is still needed.</summary>
    static void MapDescriptors(SystemCallTable table, IReadOnlyList<(int Source, int Target)> descriptors)
    {
        var above = 3;
        foreach (var (_, target) in descriptors)
            above = Math.Max(above, target + 1);
        var copies = new SystemCallTable.Cell[descriptors.Count];
        for (var i = 0; i < copies.Length; i++)
        {
            copies[i] = table.NewCell();
            table.Add($"copy of descriptor {descriptors[i].Source}", Control, descriptors[i].Source, DuplicateCloseOnExec, above, result: copies[i]);
        }

        for (var i = 0; i < copies.Length; i++)
        {
            var (source, target) = descriptors[i];
            table.Add($"dup3 of descriptor {source} to {target}", Duplicate, copies[i].Address, target, 0, indirect: 1);
        }
    }

    /// <summary>
    /// Handlers are gone already (CLONE_CLEAR_SIGHAND), but what is ignored would stay ignored. The .NET runtime ignores SIGPIPE; a
    /// program expects to die of it. What else is ignored is so by the wish of who started us (nohup) and is handed on.
    /// </summary>
    static void ResetSignals(SystemCallTable table)
    {
        table.Add("rt_sigaction(SIGPIPE)", SetSignalAction, 13, (nint)table.Allocate(32), 0, 8);
        table.Add("rt_sigprocmask", SetSignalMask, 2, (nint)table.Allocate(8), 0, 8);
    }

    /// <summary>struct rlimit64.</summary>
    readonly record struct Limit(long Soft, long Hard);

    const int Write = 1, SetSignalAction = 13, SetSignalMask = 14, Execute = 59, Control = 72, ChangeFolder = 80, ReadLink = 89, SetUserId = 105, SetGroupId = 106, SetGroup = 109, GetParent = 110, SetGroups = 116;
    const int SetPriority = 141, ProcessControl = 157, SetAffinity = 203, Exit = 231, Duplicate = 292, SetLimit = 302, CloseRange = 436;
    const int SetParentDeathSignal = 1, CloseRangeOnExec = 4, DuplicateCloseOnExec = 1030;
}
