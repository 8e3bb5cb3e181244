using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class DescendantTests
{
    /// <summary>Prints the numbers of: a child, one in a new session, one whose parent has exited, one without environment, a grandchild.</summary>
    const string Family =
        """
        sleep 1000 & echo $!
        setsid sleep 1000 & echo $!
        sh -c 'setsid sleep 1000 & echo $!'
        env -i setsid sleep 1000 & echo $!
        sh -c 'sleep 1000 & echo $!; wait' &
        """;

    [Fact]
    public async Task What_a_program_has_started_ends_with_it_also_when_it_ends_in_time()
    {
        var printed = new MemoryStream();
        await using var process = await Place.OsProcess.StartProgramAsync(new("sh", "-c", "setsid sleep 600 & echo $!; wait") { StandardOutput = ProgramOutput.To(printed) }).Within();
        await Limits.Until(() => printed.Length > 0, "its child");
        await process.StopAsync(Limits.Seconds(60)).Within();
        Assert.Equal(15, (await process.Exited).Signal);
        var child = int.Parse(System.Text.Encoding.UTF8.GetString(printed.ToArray()), CultureInfo.InvariantCulture);
        await Limits.Until(() => !Alive(child), "the end of its child");
    }

    [Fact]
    public async Task Kill_takes_all_that_a_process_started()
    {
        using var output = new OutputPipe();
        using var bystander = Spawner.Start(new("/bin/sleep", ["1000"]));
        using var child = Spawner.Start(Programs.Shell(Family + "\nwait") with { Descriptors = [(output.WriteEnd, 1)] });
        var ids = Enumerable.Range(0, 5).Select(_ => Number(output)).ToList();
        Assert.All(ids, id => Assert.True(Alive(id)));

        child.Kill();

        Assert.Equal(9, (await child.Exited.Within()).Signal);
        await Limits.Until(() => !ids.Any(Alive), "the end of all descendants");
        Assert.True(Alive(bystander.Id));
        bystander.Kill();
        await bystander.Exited.Within();
    }

    [Fact]
    public async Task Kill_takes_what_is_left_of_a_process_that_has_exited()
    {
        using var output = new OutputPipe();
        using var child = Spawner.Start(Programs.Shell("(setsid sleep 1000 & echo $!); sleep 1000 & echo $!") with { Descriptors = [(output.WriteEnd, 1)] });
        int[] ids = [Number(output), Number(output)];
        await child.Exited.Within();
        Assert.All(ids, id => Assert.True(Alive(id)));

        child.Kill();

        await Limits.Until(() => !ids.Any(Alive), "the end of what was left");
    }

    [Fact]
    public async Task Kill_is_faster_than_a_program_that_keeps_forking()
    {
        using var output = new OutputPipe();
        var request = Programs.Shell("f() { sleep 1000 & (setsid sh -c 'sleep 1000; true' &) ; }; for i in 1 2 3 4 5 6 7 8 9 10; do f; done; echo ready; while :; do f; sleep 0.01; done");
        using var child = Spawner.Start(request with { Descriptors = [(output.WriteEnd, 1)] });
        Assert.Equal("ready", output.ReadLine());

        child.Kill();

        await child.Exited.Within();
        await Limits.Until(() => !AnyCarries(child.Marker), "the end of everything that carries the marker");
    }

    [Fact]
    public async Task Kill_takes_what_is_in_the_middle_of_its_execve()
    {
        // It has lost its parent and its group, so only its environment tells whose it is; and often it has none at the moment.
        var loop = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(loop, $"exec /bin/sh {loop}\n", TestContext.Current.CancellationToken);
            for (var round = 0; round < (Limits.Long ? 1000 : 100); round++)
            {
                using var output = new OutputPipe();
                var request = Programs.Shell($"setsid /bin/sh -c 'echo $$; exec /bin/sh {loop} >/dev/null' &");
                using var child = Spawner.Start(request with { Descriptors = [(output.WriteEnd, 1)] });
                var id = Number(output);
                await child.Exited.Within();

                child.Kill();

                await Limits.Until(() => !Alive(id), "its end", 2);
            }
        }
        finally
        {
            File.Delete(loop);   // ends what was missed: its next execve finds nothing to read
        }
    }

    [Fact]
    public async Task A_number_that_was_given_to_another_process_is_left_alone()
    {
        using var other = Spawner.Start(new("/bin/sleep", ["1000"]));
        var started = ProcessStatus.Read(other.Id)!.Value.StartTime;
        Assert.Equal(0, Descendants.Kill("no-such-marker", started - 1, other.Id));
        Assert.True(Alive(other.Id));
        other.Kill();
        await other.Exited.Within();
    }

    [Fact]
    public async Task A_worker_can_kill_its_own_descendants_when_its_parent_is_gone()
    {
        using var input = new OutputPipe();
        using var output = new OutputPipe();
        using var worker = Spawner.Start(new(Programs.ChildProgram, ["kill-own-descendants"])
        {
            Descriptors = [(input.ReadEnd, 0), (output.WriteEnd, 1)],
        });
        int[] ids = [Number(output), Number(output), Number(output)];
        Assert.All(ids, id => Assert.True(Alive(id)));

        input.CloseWriteEnd();

        Assert.Equal(3, (await worker.Exited.Within()).Code);
        await Limits.Until(() => !ids.Any(Alive), "the end of the worker's descendants");
    }

    static int Number(OutputPipe output) => int.Parse(output.ReadLine(), CultureInfo.InvariantCulture);

    static bool Alive(int id) => ProcessStatus.Read(id) is { IsDead: false };

    static bool AnyCarries(string marker) => ProcessStatus.ReadAll().Any(p =>
    {
        var buffer = new byte[256 * 1024];
        var length = ProcessFile.Read($"/proc/{p.Id}/environ", buffer);
        return length > 0 && System.Text.Encoding.UTF8.GetString(buffer, 0, length).Contains($"={marker}\0", StringComparison.Ordinal);
    });
}
