using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein.Tests;

/// <summary>Datagrams are lost when nobody reads in time: the kind says so, and what arrives is nevertheless whole and in order.</summary>
[SupportedOSPlatform("linux")]
public sealed class UdpLossTests
{
    [Fact]
    public async Task What_is_lost_leaves_whole_items_in_order_and_the_kind_says_that_it_may_be()
    {
        const int Sent = 400, Length = 20_000;
        Assert.Equal(default, ChannelKind.Udp.Capabilities() & (ChannelCapabilities.Reliable | ChannelCapabilities.BackPressure));
        await using var channel = ProcessChannel.Create<byte[]>(ChannelKind.Udp);
        ChannelWriter<byte[]>[] writers = [channel.Writer, channel.AddWriter()];
        for (var i = 0; i < Sent; i++)
        {
            foreach (var (number, writer) in writers.Index())
                await writer.WriteAsync(Item(number, i, Length), TestContext.Current.CancellationToken);
        }

        foreach (var writer in writers)
            writer.Complete();
        int[] last = [-1, -1], counts = [0, 0];
        await foreach (var item in channel.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            var number = item[0];
            var index = BitConverter.ToInt32(item, 1);
            Assert.Equal(Item(number, index, Length), item);
            Assert.True(index > last[number], $"item {index} of writer {number} came after {last[number]}");
            last[number] = index;
            counts[number]++;
        }

        Assert.InRange(counts.Sum(), 1, 2 * Sent - 1);   // 16 MB do not fit into the socket's buffer
    }

    static byte[] Item(int writer, int index, int length)
    {
        var item = new byte[length];
        new Random(writer * 1000 + index).NextBytes(item);
        item[0] = (byte)writer;
        BitConverter.TryWriteBytes(item.AsSpan(1), index);
        return item;
    }
}
