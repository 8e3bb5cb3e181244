using System.Runtime.Versioning;

namespace Skein.Tests;

/// <summary>What the kinds that cross processes promise besides, with a real other process, which is killed.</summary>
[SupportedOSPlatform("linux")]
public abstract class ChannelProcessCases(ChannelKind kind) : ChannelCases(kind)
{
    [Fact]
    public async Task A_writer_in_another_process_is_read_to_its_end()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Writer, "write-and-complete", 200);
        var read = 0;
        await foreach (var item in channel.Reader.ReadAllAsync(Stop))
        {
            Assert.Equal(Bytes(item.Length), item);
            read++;
        }

        Assert.True(read == 200 || !Has(ChannelCapabilities.Reliable), $"{read} of 200 items arrived");
        Assert.Equal(0, (await child.Exited.Within()).Code);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await channel.Writer.WriteAsync([], Stop));
    }

    [Fact]
    public async Task A_reader_in_another_process_reads_to_the_end()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Reader, "read-all", 200);
        for (var i = 0; i < 200; i++)
            await channel.Writer.WriteAsync(Bytes(i * 40), Stop).AsTask().Within();
        channel.Writer.Complete();
        Assert.Equal(Has(ChannelCapabilities.Reliable) ? 200 : 1, (await child.Exited.Within()).Code);
    }

    [Fact]
    public async Task A_writer_killed_in_mid_message_leaves_what_was_whole_and_a_fault()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Writer, "write-and-hang", 5);
        for (var i = 0; i < 5; i++)
            Assert.Equal(Bytes(i * 40), await channel.Reader.ReadAsync(Stop).Within());
        if (channel.Reader.CanCount)
            await Limits.Until(() => channel.Reader.Count == 1, "the long item to be under way");
        child.Kill();
        await child.Exited.Within();

        var error = await Assert.ThrowsAsync<ChannelBrokenException>(async () =>
        {
            Assert.Equal(Bytes(16_000_000), await channel.Reader.ReadAsync(Stop).Within());   // if it had gone out whole
            await channel.Reader.ReadAsync(Stop).Within();
        });
        Assert.Contains(child.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_waits_is_told_when_the_writer_is_killed()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Writer, "wait", 0);
        Assert.Equal([1], await channel.Reader.ReadAsync(Stop).Within());
        var reading = channel.Reader.ReadAsync(Stop).AsTask();
        child.Kill();
        await Assert.ThrowsAsync<ChannelBrokenException>(() => reading.Within());
    }

    [Fact]
    public async Task A_killed_reader_faults_the_writer()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Reader, "read-and-hang", 0);
        child.Kill();
        await child.Exited.Within();
        await Assert.ThrowsAsync<ChannelBrokenException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await channel.Writer.WriteAsync(Bytes(100_000 % 65_000), Stop).AsTask().Within();
                await Task.Delay(TimeSpan.FromMilliseconds(2), Stop);
            }
        });
        Assert.False(channel.Writer.TryWrite([1]));
    }

    [Fact]
    public async Task One_killed_writer_of_several_does_not_stop_the_others()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 1);
        var other = channel.AddWriter();
        using var child = Hand(channel.Writer, "write-and-hang", 1);
        Assert.Equal(Bytes(0), await channel.Reader.ReadAsync(Stop).Within());
        if (channel.Reader.CanCount)
            await Limits.Until(() => channel.Reader.Count == 1, "the long item to be under way");
        child.Kill();
        await child.Exited.Within();

        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
                await other.WriteAsync(Bytes(50_000 + i), Stop);
            other.Complete();
        }, Stop);
        var read = new List<int>();
        await Assert.ThrowsAsync<ChannelBrokenException>(async () =>
        {
            while (true)
                read.Add((await channel.Reader.ReadAsync(Stop).Within()).Length);
        });
        await writing.Within();
        read.Remove(16_000_000);
        Assert.True(read.SequenceEqual(Enumerable.Range(50_000, 20)) || !Has(ChannelCapabilities.Reliable), string.Join(' ', read));
    }

    /// <summary>Starts the tests' child with an end of the channel: the raw way, by inherited descriptors.</summary>
    static ChildProcess Hand(object end, string what, int count)
    {
        var channelEnd = (IChannelEnd)end;
        var secret = (channelEnd.End.Port as UdpPort)?.Secret ?? 0;
        var child = Spawner.Start(new(Programs.ChildProgram, ["channel", what, $"{channelEnd.End.Kind}", $"{count}", $"{channelEnd.End.Descriptors.Length}", $"{secret}"])
        {
            Descriptors = [.. channelEnd.End.Descriptors.Select((descriptor, i) => (descriptor, 3 + i))],
        });
        channelEnd.HandOver();
        return child;
    }
}
