using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class LockedFileFaultTests
{
    [Fact]
    public async Task A_channel_whose_disk_is_full_says_so_and_ends_nothing_else()
    {
        // In a mount namespace of its own, so that nothing is left mounted.
        const string Small = "mount -t tmpfs -o size=256k skein-small /mnt && TMPDIR=/mnt exec \"$0\" channel-full-folder 2>&1";
        var probe = await Programs.Run("unshare -m mount -t tmpfs -o size=64k skein-probe /mnt 2>&1");
        if (probe.Status.Code != 0)
            Assert.Skip($"A folder cannot be mounted here: {probe.Output}");
        var (text, status) = await Programs.Run(new SpawnRequest("/usr/bin/unshare", ["-m", "sh", "-c", Small, Programs.ChildProgram]), 20);
        var lines = text.Split('\n');
        Assert.Equal((0, "small items: True"), (status.Code, lines[0]));
        Assert.StartsWith($"long one: {nameof(ChannelBrokenException)}: An item could not be written to this LockedFile channel", lines[1], StringComparison.Ordinal);
        Assert.Contains("No space left", lines[1], StringComparison.Ordinal);
        Assert.Equal(["read: small", $"then: {nameof(ChannelBrokenException)}", "another channel: True"], lines[2..5]);
    }
}
