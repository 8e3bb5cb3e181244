using System.Runtime.Versioning;

namespace Skein.Tests;

/// <summary>The way by the C library, for machines where the other does not work.</summary>
[SupportedOSPlatform("linux")]
public sealed class PosixSpawnTests
{
    [Fact]
    public async Task A_program_gets_what_was_asked_for()
    {
        using var input = new OutputPipe();
        using var output = new OutputPipe();
        using var region = MemoryRegion.Create("skein-test", 4096);
        using var child = Start(Programs.Shell("read x; ls /proc/$$/fd; pwd; echo $A; nice; grep Cpus_allowed_list /proc/$$/status; kill -PIPE $$") with
        {
            Descriptors = [(output.WriteEnd, 1), (region.Descriptor, 9), (input.ReadEnd, 0)],
            WorkingDirectory = "/usr/lib",
            Environment = [new("A", "b c"), new("PATH", "/usr/bin:/bin")],
            Niceness = 3,
            Processors = [1],
            Limits = [new(LimitedResource.FileSize, 1 << 20)],
        });
        input.CloseWriteEnd(); // what follows the start is in force now
        output.CloseWriteEnd();
        var text = await Task.Run(output.ReadToEnd, TestContext.Current.CancellationToken).Within();
        Assert.Equal("0\n1\n2\n9\n/usr/lib\nb c\n3\nCpus_allowed_list:\t1\n", text);
        Assert.Equal(13, (await child.Exited.Within()).Signal);
    }

    [Fact]
    public void A_failure_leaves_nothing_and_is_named()
    {
        var missing = Assert.Throws<LinuxException>(() => Start(new("/no/such/program", [])));
        Assert.Equal(("start of /no/such/program: posix_spawn", Libc.ENOENT), (missing.Call, missing.Error));
        var later = Assert.Throws<LinuxException>(() => Start(new("/bin/sleep", ["1000"]) { Limits = [new((LimitedResource)99, 1)] }));
        Assert.Equal("start of /bin/sleep: prlimit of 99 to 1", later.Call);
    }

    static ChildProcess Start(SpawnRequest request)
    {
        const string Marker = "posix-spawn-test";
        var (id, descriptor) = PosixSpawn.Start(request, Descendants.Mark(request.Environment, Marker));
        var child = new ChildProcess(id, descriptor, Marker, null);
        ChildWatcher.Shared.Add(child);
        return child;
    }
}
