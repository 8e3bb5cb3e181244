using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class SpawnTests
{
    [Fact]
    public async Task An_exit_code_arrives()
    {
        var (_, status) = await Programs.Run("exit 42");
        Assert.Equal((42, 0, false), (status.Code, status.Signal, status.CoreDumped));
    }

    [Fact]
    public async Task A_signal_is_told_from_an_exit_code()
    {
        using var child = Spawner.Start(new("/bin/sleep", ["100"]));
        Assert.True(child.Signal(15));
        var status = await child.Exited.Within();
        Assert.Equal((-1, 15), (status.Code, status.Signal));
        Assert.False(child.Signal(15));
    }

    [Fact]
    public async Task Arguments_arrive_as_they_were_given()
    {
        string[] arguments = ["", " two words ", "'\"\\$x`", "äö✓", new('x', 100_000)];
        var (output, _) = await Programs.Run(new SpawnRequest("/bin/sh", ["-c", "printf '%s\\n' \"$@\"", "sh", .. arguments]));
        Assert.Equal(arguments, output.Split('\n')[..^1]);
    }

    [Fact]
    public async Task The_environment_is_just_the_given_one_and_the_marker()
    {
        var (output, _) = await Programs.Run(new SpawnRequest("/usr/bin/env", []) { Environment = [new("A", "1"), new("B", "x=y")] });
        Assert.Equal(["A=1", "B=x=y"], output.Split('\n')[..^1].Where(v => !v.StartsWith(Descendants.Variable, StringComparison.Ordinal)));
        Assert.Contains(Descendants.Variable + "=", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_given_environment_it_is_the_one_of_this_moment()
    {
        Environment.SetEnvironmentVariable("SKEIN_TEST_OF_THE_MOMENT", "now");
        var (output, _) = await Programs.Run("echo $SKEIN_TEST_OF_THE_MOMENT");
        Assert.Equal("now\n", output);
    }

    [Fact]
    public async Task The_working_folder_is_the_given_one()
    {
        var (output, _) = await Programs.Run(Programs.Shell("pwd") with { WorkingDirectory = "/usr/lib" });
        Assert.Equal("/usr/lib\n", output);
    }

    [Fact]
    public async Task It_leads_a_group_of_its_own_unless_told_otherwise()
    {
        var (output, _) = await Programs.Run("cut -d' ' -f 5 /proc/$$/stat; echo $$");
        Assert.Equal(output.Split('\n')[0], output.Split('\n')[1]);
        (output, _) = await Programs.Run(Programs.Shell("cut -d' ' -f 5 /proc/$$/stat") with { NewGroup = false });
        Assert.Equal(ProcessStatus.Read(Environment.ProcessId)!.Value.Group, int.Parse(output, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task No_signal_is_ignored_or_blocked_in_it()
    {
        var (output, _) = await Programs.Run("grep -E 'SigBlk|SigIgn' /proc/self/status");
        Assert.Equal("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", output);
    }

    [Fact]
    public async Task Processors_niceness_and_limits_are_in_force()
    {
        var request = Programs.Shell("grep Cpus_allowed_list /proc/self/status; nice; ulimit -f; ulimit -v") with
        {
            Processors = [0],
            Niceness = 5,
            Limits = [new(LimitedResource.FileSize, 1 << 20), new(LimitedResource.AddressSpace, 1 << 30)],
        };
        var (output, _) = await Programs.Run(request);
        Assert.Equal("Cpus_allowed_list:\t0\n5\n2048\n1048576\n", output);
    }

    [Fact]
    public async Task The_use_of_resources_is_measured()
    {
        var (_, status) = await Programs.Run("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
        Assert.InRange(status.Use.UserTime.TotalMilliseconds, 20, 60_000);
        Assert.True(status.Use.PeakIsUpperBound, "a shell is smaller than this process");
        Assert.InRange(status.Use.MinorFaults, 10, 100_000);
    }

    [Fact]
    public async Task A_peak_of_memory_above_ours_is_exact()
    {
        var size = ProcessDescriptor.OwnPeakResident + (200 << 20);
        var (_, status) = await Programs.Run(new SpawnRequest(ProgramPath.Find("python3"), ["-c", $"b = bytearray({size})"]));
        Assert.False(status.Use.PeakIsUpperBound);
        Assert.InRange(status.Use.PeakResidentBytes, size, size + (100 << 20));
    }

    [Fact]
    public async Task A_callback_at_exit_comes_before_the_task_and_at_once_when_late()
    {
        using var child = Spawner.Start(Programs.Shell("exit 3"));
        var called = new TaskCompletionSource<(int, bool)>();
        child.OnExit(status => called.TrySetResult((status.Code, child.Exited.IsCompleted)));
        Assert.Equal(3, (await called.Task.Within()).Item1);
        await child.Exited.Within();
        var late = 0;
        child.OnExit(status => late = status.Code);
        Assert.Equal(3, late);
    }
}
