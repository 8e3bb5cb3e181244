using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class SpawnErrorTests
{
    [Fact]
    public void A_failed_step_is_named()
    {
        var shell = Programs.Shell("exit 0");
        Fails(new("/no/such/program", []), "start of /no/such/program: execve", Libc.ENOENT);
        Fails(new("/etc/passwd", []), "start of /etc/passwd: execve", Libc.EACCES);
        Fails(shell with { WorkingDirectory = "/no/such/folder" }, "start of /bin/sh: chdir to /no/such/folder", Libc.ENOENT);
        Fails(shell with { Descriptors = [(9999, 3)] }, "start of /bin/sh: copy of descriptor 9999", 9);
        Fails(shell with { Descriptors = [(0, 19_000_000)] }, "start of /bin/sh: copy of descriptor 0", 22);
        Fails(shell with { Processors = [1000] }, "start of /bin/sh: sched_setaffinity to 1000", 22);
        Fails(shell with { Limits = [new((LimitedResource)99, 1)] }, "start of /bin/sh: prlimit of 99 to 1", 22);
    }

    [Fact]
    public void A_text_with_a_NUL_is_refused() =>
        Assert.Throws<ArgumentException>(() => Spawner.Start(new("/bin/true", ["a\0b"])));

    [Fact]
    public void Texts_that_are_too_long_are_refused_by_name()
    {
        var e = Assert.Throws<LinuxException>(() => Spawner.Start(new("/bin/true", [new('x', 1 << 20)])));
        Assert.Equal((7, "start of /bin/true: execve"), (e.Error, e.Call));
        Assert.Throws<ArgumentException>(() => Spawner.Start(new("/bin/true", [new('x', 10 << 20)])));
    }

    [Fact]
    public void A_program_that_is_not_there_is_told_from_one_that_may_not_be_executed()
    {
        Assert.Equal("/bin/sh", ProgramPath.Find("/bin/sh"));
        Assert.True(File.Exists(ProgramPath.Find("sleep")));
        Assert.Equal("/bin/sh", ProgramPath.Find("./sh", "/bin"));
        Assert.Contains("no-such-program", Assert.Throws<FileNotFoundException>(() => ProgramPath.Find("no-such-program")).Message, StringComparison.Ordinal);
        Assert.Equal("./no", Assert.Throws<FileNotFoundException>(() => ProgramPath.Find("./no", "/bin")).FileName);
        Assert.Contains("/etc/passwd", Assert.Throws<UnauthorizedAccessException>(() => ProgramPath.Find("/etc/passwd")).Message, StringComparison.Ordinal);
        Assert.Throws<UnauthorizedAccessException>(() => ProgramPath.Find("/bin/"));
    }

    static void Fails(SpawnRequest request, string call, int error)
    {
        var e = Assert.Throws<LinuxException>(() => Spawner.Start(request));
        Assert.Equal((call, error), (e.Call, e.Error));
        Assert.Contains(call, e.Message, StringComparison.Ordinal);
    }
}
