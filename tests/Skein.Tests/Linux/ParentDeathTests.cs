using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class ParentDeathTests
{
    [Fact]
    public async Task A_child_dies_with_the_process_that_started_it()
    {
        using var output = new OutputPipe();
        using var parent = Spawner.Start(new(Programs.ChildProgram, ["parent-of", "sleep", "1000"]) { Descriptors = [(output.WriteEnd, 1)] });
        var id = int.Parse(output.ReadLine(), CultureInfo.InvariantCulture);
        Assert.True(ProcessStatus.Read(id) is { IsDead: false });

        Assert.True(parent.Signal(ProcessDescriptor.SIGKILL));

        await parent.Exited.Within();
        await Limits.Until(() => ProcessStatus.Read(id) is not { IsDead: false }, "the death of the grandchild", 1);
    }

    [Fact]
    public async Task A_child_survives_the_thread_that_asked_for_it()
    {
        using var input = new OutputPipe();
        ChildProcess? child = null;
        var task = "";
        var thread = new Thread(() =>
        {
            task = "/proc/" + new FileInfo("/proc/thread-self").LinkTarget;
            child = Spawner.Start(Programs.Shell("read line; exit 7") with { Descriptors = [(input.ReadEnd, 0)] });
        });
        thread.Start();
        thread.Join();
        await Limits.Until(() => !Directory.Exists(task), "the kernel's end of the thread");

        input.CloseWriteEnd();

        using (child)
            Assert.Equal(7, (await child!.Exited.Within()).Code);
    }

    [Fact]
    public async Task An_exit_code_arrives_although_we_were_started_with_SIGCHLD_ignored()
    {
        var script = $"trap '' CHLD; exec {Programs.ChildProgram} exit-code-of 'exit 5'";
        using var child = Spawner.Start(new(ProgramPath.Find("bash"), ["-c", script]));   // dash does not hand this one on
        Assert.Equal(5, (await child.Exited.Within()).Code);
    }
}
