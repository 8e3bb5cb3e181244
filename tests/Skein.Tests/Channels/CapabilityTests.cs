using static Skein.ChannelCapabilities;

namespace Skein.Tests;

public sealed class CapabilityTests
{
    [Fact]
    public void A_promise_is_off_only_where_the_documentation_says_so()
    {
        const ChannelCapabilities All = KeepsBoundaries | Reliable | Ordered | BackPressure | MultipleWriters | MultipleReaders | CrossesProcesses | DetectsPeerDeath;
        Assert.Equal(
            [
                (ChannelKind.Memory, (All | ZeroCopy) & ~CrossesProcesses & ~DetectsPeerDeath),
                (ChannelKind.Pipe, All),
                (ChannelKind.UnixSocket, All),
                (ChannelKind.SharedMemory, All | ZeroCopy),
                (ChannelKind.MessageQueue, All),
                (ChannelKind.LockedFile, All),
                (ChannelKind.Tcp, All),
                (ChannelKind.Udp, All & ~Reliable & ~BackPressure),
            ],
            Enum.GetValues<ChannelKind>().Select(kind => (kind, kind.Capabilities())));
    }

    [Fact]
    public async Task A_channel_of_memory_is_refused_by_another_process_with_what_to_do_instead()
    {
        await using var channel = ProcessChannel.Create<int>(ChannelKind.Memory);
        var error = await Assert.ThrowsAsync<CannotTravelException>(() => Place.OsProcess.StartAsync(Count, channel.Reader).Within());
        Assert.Contains("ChannelKind.Pipe", error.Message, StringComparison.Ordinal);
        await using var process = await Place.Thread.StartAsync(Count, channel.Reader).Within();
        channel.Writer.Complete();
        Assert.Equal(0, await process.Completion.Within());
    }

    static async Task<int> Count(System.Threading.Channels.ChannelReader<int> reader)
    {
        var count = 0;
        await foreach (var _ in reader.ReadAllAsync())
            count++;
        return count;
    }
}
