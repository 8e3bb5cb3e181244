using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class SpawnDescriptorTests
{
    /// <summary>What the shell has open, seen by another process.</summary>
    const string List = "ls /proc/$$/fd; true";

    [Fact]
    public async Task A_child_sees_just_the_standard_ones_and_what_it_was_given()
    {
        using var leaked = new OutputPipe();
        var inheritable = Libc.Check(Libc.Control(leaked.WriteEnd, 0, 50), "fcntl(F_DUPFD)"); // not close-on-exec
        var (output, _) = await Programs.Run(Programs.Shell(List) with { Descriptors = [(leaked.WriteEnd, 7)] });
        _ = Libc.Close(inheritable);
        Assert.Equal("0\n1\n2\n7\n", output);
    }

    [Fact]
    public async Task Sources_and_targets_may_overlap()
    {
        using var a = MemoryRegion.Create("skein-test-a", 4096);
        using var b = MemoryRegion.Create("skein-test-b", 4096);
        var request = Programs.Shell($"readlink /proc/$$/fd/{a.Descriptor}; readlink /proc/$$/fd/{b.Descriptor}") with
        {
            Descriptors = [(a.Descriptor, b.Descriptor), (b.Descriptor, a.Descriptor)],
        };
        var (output, _) = await Programs.Run(request);
        Assert.Equal("/memfd:skein-test-b (deleted)\n/memfd:skein-test-a (deleted)\n", output);
    }

    [Fact]
    public async Task A_target_may_have_a_number_that_is_free_here()
    {
        // A copy of a source that is put at the lowest free number stands where a target is: it would be overwritten before it is used.
        using var a = MemoryRegion.Create("skein-test-a", 4096);
        using var b = MemoryRegion.Create("skein-test-b", 4096);
        int[] free = [.. Enumerable.Range(3, 1000).Where(number => !Path.Exists($"/proc/self/fd/{number}")).Take(12).Reverse()];
        var request = Programs.Shell(string.Join("; ", free.Select(target => $"readlink /proc/$$/fd/{target}"))) with
        {
            Descriptors = [.. free.Select((target, i) => (i % 2 == 0 ? a.Descriptor : b.Descriptor, target))],
        };
        var (output, _) = await Programs.Run(request);
        Assert.Equal(string.Concat(free.Select((_, i) => $"/memfd:skein-test-{(i % 2 == 0 ? 'a' : 'b')} (deleted)\n")), output);
    }

    [Fact]
    public async Task A_source_may_keep_its_number_and_be_given_twice()
    {
        using var a = MemoryRegion.Create("skein-test-a", 4096);
        var n = a.Descriptor;
        var request = Programs.Shell($"readlink /proc/$$/fd/{n} /proc/$$/fd/{n + 1}") with { Descriptors = [(n, n), (n, n + 1)] };
        var (output, _) = await Programs.Run(request);
        Assert.Equal("/memfd:skein-test-a (deleted)\n/memfd:skein-test-a (deleted)\n", output);
    }
}
