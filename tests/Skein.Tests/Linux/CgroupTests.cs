using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class CgroupTests
{
    const int Limit = 64 << 20;

    [Fact]
    public async Task A_kill_for_memory_is_told_from_any_other()
    {
        using var group = Create(new() { Memory = Limit });
        var hungry = new SpawnRequest(ProgramPath.Find("python3"), ["-c", "b = bytearray(500 << 20)"]) { Cgroup = group };
        var (_, status) = await Programs.Run(hungry);
        Assert.Equal((9, 1), (status.Signal, group.OutOfMemoryKills));
        Assert.InRange(group.PeakMemory!.Value, Limit / 2, Limit);

        using var calm = Create(new() { Memory = Limit });
        using var child = Spawner.Start(new("/bin/sleep", ["1000"]) { Cgroup = calm });
        child.Signal(ProcessDescriptor.SIGKILL);
        Assert.Equal(9, (await child.Exited.Within()).Signal);
        Assert.Equal(0, calm.OutOfMemoryKills);
    }

    [Fact]
    public async Task A_program_is_in_its_group_from_the_start_with_all_that_it_starts()
    {
        using var group = Create(new() { Memory = Limit });
        using var output = new OutputPipe();
        var request = Programs.Shell("setsid sleep 1000 & echo ready; wait") with { Cgroup = group, Descriptors = [(output.WriteEnd, 1)] };
        using var child = Spawner.Start(request);
        Assert.Contains(child.Id, group.MemberIds);
        Assert.Equal("ready", output.ReadLine());
        Assert.Equal(2, group.MemberIds.Count);
        Assert.InRange(group.MemoryUsage!.Value, 1, Limit);

        group.KillAll();

        Assert.Equal(9, (await child.Exited.Within()).Signal);
        await Limits.Until(() => group.MemberIds.Count == 0, "the end of the members");
    }

    [Fact]
    public async Task Disposing_kills_the_members_and_removes_the_group()
    {
        var group = Create(new() { Memory = Limit, Processes = 10, Processors = 0.5 });
        var folders = group.MemberFiles.Select(f => Path.GetDirectoryName(f)!).ToList();
        Assert.All(folders, f => Assert.True(Directory.Exists(f)));
        using var child = Spawner.Start(new("/bin/sleep", ["1000"]) { Cgroup = group });
        group.Dispose();
        Assert.All(folders, f => Assert.False(Directory.Exists(f)));
        Assert.Equal(9, (await child.Exited.Within()).Signal);
    }

    [Fact]
    public async Task The_number_of_processes_and_the_processor_time_are_limited()
    {
        using var group = Create(new() { Processes = 3, Processors = 0.2 });
        const string Many = "exec 2>&1; for i in 1 2 3 4; do sleep 1000 >/dev/null 2>&1 & done";
        var (output, status) = await Programs.Run(Programs.Shell(Many) with { Cgroup = group });
        Assert.Contains("fork", output, StringComparison.OrdinalIgnoreCase);
        group.KillAll();
        await Limits.Until(() => group.MemberIds.Count == 0, "the end of the members");
        Assert.NotEqual(0, status.Code);

        var busy = Programs.Shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done") with { Cgroup = group };
        var started = TimeProvider.System.GetTimestamp();
        using var child = Spawner.Start(busy);
        status = await child.Exited.Within(60);
        var share = (status.Use.UserTime + status.Use.SystemTime) / TimeProvider.System.GetElapsedTime(started);
        Assert.InRange(share, 0.01, 0.5);
    }

    [Fact]
    public void A_group_that_cannot_be_made_is_explained()
    {
        Assert.Null(Cgroup.TryCreate(new() { Memory = -5 }, out var reason));
        Assert.NotNull(reason);
    }

    [Fact]
    public async Task What_a_killed_process_left_is_removed_by_the_next()
    {
        Create(new()).Dispose(); // skips where there are none
        using var output = new OutputPipe();
        using var holder = Spawner.Start(new(Programs.ChildProgram, ["group-holder"]) { Descriptors = [(output.WriteEnd, 1)] });
        var folder = output.ReadLine();
        var id = int.Parse(output.ReadLine(), CultureInfo.InvariantCulture);
        Assert.True(Directory.Exists(folder));
        holder.Signal(ProcessDescriptor.SIGKILL);
        await holder.Exited.Within();
        Assert.True(ProcessStatus.Read(id) is { IsDead: false });

        var (_, status) = await Programs.Run(new SpawnRequest(Programs.ChildProgram, ["group-maker"]));

        Assert.Equal(0, status.Code);
        Assert.False(Directory.Exists(folder));
        Assert.False(ProcessStatus.Read(id) is { IsDead: false });
    }

    [Fact]
    public async Task A_child_is_born_in_a_group_of_version_2()
    {
        var mount = File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')).FirstOrDefault(f => f.Contains("cgroup2"))?[4];
        if (mount is null || !Environment.IsPrivilegedProcess)
            Assert.Skip("needs a mounted tree of version 2 of control groups, and root");
        var folder = Directory.CreateDirectory($"{mount}/skein-test-{Environment.ProcessId}").FullName;
        var descriptor = ProcessFile.Open(folder, Libc.CloseOnExec);
        try
        {
            using var table = new SystemCallTable();
            SpawnTable.Fill(table, new("/bin/sleep", ["1000"]), []);
            var (id, pid) = table.Run("test", descriptor);
            Assert.Equal(id, int.Parse(File.ReadAllText($"{folder}/cgroup.procs"), CultureInfo.InvariantCulture));
            File.WriteAllText($"{folder}/cgroup.kill", "1");
            Assert.True(ProcessDescriptor.Wait(pid, out var status, out _));
            Assert.Equal(9, status.Status);
            _ = Libc.Close(pid);
        }
        finally
        {
            _ = Libc.Close(descriptor);
            await Limits.Until(() => Remove(folder), "the removal of the group");
        }
    }

    static bool Remove(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    static Cgroup Create(CgroupLimits limits)
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("needs root, or control groups that were handed to this user");
        var group = Cgroup.TryCreate(limits, out var reason);
        if (group is null)
            Assert.Skip($"no control groups here: {reason}");
        return group;
    }
}
