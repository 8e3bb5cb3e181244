using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests.Faults;

[SupportedOSPlatform("linux")]
public sealed class PoolParentDeathTests
{
    /// <param name="activity">What the workers are at when their parent is killed.</param>
    /// <param name="session">Whether the parent leads a session: then the kernel itself wakes what is stopped and orphaned, else it does not.</param>
    [Theory]
    [InlineData("idle", false)]
    [InlineData("managed", false)]
    [InlineData("native", false)]
    [InlineData("stopped", false)]
    [InlineData("stopped", true)]
    [InlineData("stopped child", false)]
    [InlineData("nested", false)]
    public async Task No_worker_and_no_grandchild_survives_a_parent_that_is_killed(string activity, bool session)
    {
        for (var round = 0; round < (Limits.Long ? 20 : 1); round++)
        {
            using var output = new OutputPipe();
            string[] program = [Programs.ChildProgram, "pool-parent", activity];
            using var parent = Spawner.Start(
                new(session ? "/usr/bin/setsid" : program[0], session ? program : program[1..]) { Descriptors = [(output.WriteEnd, 1)], NewGroup = !session });
            output.CloseWriteEnd();
            int[][] families = [await Family(output), await Family(output)];
            int[] all = [.. families[0], .. families[1]];
            Assert.All(all, id => Assert.True(Alive(id)));
            if (activity == "stopped")
                await Limits.Until(() => families.All(family => ProcessStatus.Read(family[0]) is { State: 'T' }), "both workers to be stopped");

            Assert.True(parent.Signal(ProcessDescriptor.SIGKILL));

            await parent.Exited.Within();
            await Limits.Until(() => !all.Any(Alive), () => $"the end of all processes ({string.Join(' ', all.Where(Alive))} of {string.Join(' ', all)} live)", 1);
            Assert.Empty(families.SelectMany(family => Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{family[0]}-*")));
        }
    }

    /// <summary>It wakes those who are stopped when nobody is left outside of their group who could: whoever takes them in here could.</summary>
    [Fact]
    public async Task A_stopped_worker_ends_with_its_parent_also_where_the_kernel_leaves_it_stopped()
    {
        using var output = new OutputPipe();
        using var adopter = Spawner.Start(
            new(Programs.ChildProgram, ["adopter-of", Programs.ChildProgram, "pool-parent", "stopped"]) { Descriptors = [(output.WriteEnd, 1)], NewGroup = true });
        output.CloseWriteEnd();
        int[][] families = [await Family(output), await Family(output)];
        int[] all = [.. families[0], .. families[1]];
        await Limits.Until(() => families.All(family => ProcessStatus.Read(family[0]) is { State: 'T' }), "both workers to be stopped");

        Assert.Equal(0, Pools.Functions.Kill(ProcessStatus.Read(families[0][0])!.Value.Parent, 9));

        await Limits.Until(() => !all.Any(Alive), () => $"the end of all processes ({string.Join(' ', all.Where(Alive))} of {string.Join(' ', all)} live)", 5);
        Assert.True(adopter.Signal(ProcessDescriptor.SIGKILL));
        await adopter.Exited.Within();
    }

    [Fact]
    public async Task A_worker_whose_parent_died_before_it_came_up_never_comes_to_Main()
    {
        var (parent, worker) = DescriptorSocket.Pair();
        parent.Dispose();
        Dictionary<string, string> environment = new()
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(WorkerPool).Assembly.Location,
            ["SKEIN_WORKER"] = "3:4:1:lost.1",   // the child of another one
        };

        using var child = Spawner.Start(new(Programs.ChildProgram, ["exit", "5"]) { Environment = [.. environment, new("PATH", Environment.GetEnvironmentVariable("PATH")!)], Descriptors = [(worker.Descriptor, 4)] });
        worker.Dispose();

        Assert.Equal(ProcessDescriptor.SIGKILL, (await child.Exited.Within()).Signal);
    }

    static Task<int[]> Family(OutputPipe output) =>
        Task.Run(() => output.ReadLine().Split(' ').Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToArray()).Within(20);

    static bool Alive(int id) => ProcessStatus.Read(id) is { IsDead: false };
}
